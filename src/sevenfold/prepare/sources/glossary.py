"""Short texts that say what things are called in other languages, and questions that they answer, from the CLDR."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from pydantic import Field

from sevenfold.prepare.sources import RawRow, Reading
from sevenfold.prepare.sources.languages import Languages


class Glossary(Languages):
    """Texts such as "Germany is Tyskland in Swedish. Greece is ...", a question, and where in the text its answer is.

    The names are the CLDR's, by the package Babel (`sevenfold[prepare]`). Columns: `question`, `context`, `answers`
    (lists `text` and `answer_start`, empty where the text has no answer), and `thing`, what is asked about: with
    `how: {grouped: thing}` nothing that is asked about in the test is asked about in training.
    """

    each: int = Field(100, ge=1, description="Questions about each language's names.")
    facts: int = Field(5, ge=2, le=20, description="What a text says.")
    unanswerable: float = Field(0.15, ge=0, lt=1, description="The share of texts without an answer.")

    def rows(self, reading: Reading) -> Iterator[RawRow]:
        """The questions, languages in turn."""
        from babel import Locale

        dice, english = Random(self.seed), Locale.parse("en")
        number = 0
        for code in self.locales:
            locale = Locale.parse(code)
            language = str(locale.get_display_name("en"))
            pairs = [
                (name, locale.territories[key])
                for key, name in sorted(english.territories.items())
                if key in locale.territories and locale.territories[key] != name and len(key) == 2
            ]
            for _ in range(self.each if len(pairs) > self.facts else 0):
                number += 1
                yield RawRow(self.one(dice.sample(pairs, self.facts + 1), language, dice), f"glossary:{number}")

    def one(self, pairs: list[tuple[str, str]], language: str, dice: Random) -> dict[str, object]:
        """A text, and a question about one of its facts, or about the one that it leaves out."""
        *told, left_out = pairs
        sentences = [f"{thing} is {name} in {language}." for thing, name in told]
        context = " ".join(sentences)
        asked = left_out if dice.random() < self.unanswerable else dice.choice(told)
        answers: dict[str, list[object]] = {"text": [], "answer_start": []}
        if asked is not left_out:
            place = told.index(asked)
            before = sum(len(sentence) + 1 for sentence in sentences[:place])
            answers = {"text": [asked[1]], "answer_start": [before + len(f"{asked[0]} is ")]}
        question = f"What is {asked[0]} in {language}?"
        return {"question": question, "context": context, "answers": answers, "thing": asked[0]}
