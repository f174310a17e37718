"""Quality: the rules by which Gopher and C4 chose their web pages, one name each."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from pydantic import Field, model_validator

from sevenfold.errors import closest
from sevenfold.prepare.clean import Dropped, Outcome, Single
from sevenfold.prepare.clean import _measures as m
from sevenfold.prepare.dataset import Row

Rule = Callable[[m.Text, float], bool]

RULES: dict[str, tuple[float, Rule]] = {
    "too_few_words": (50, m.of_words(m.below(lambda text: len(text.words)))),
    "too_many_words": (100_000, m.of_words(m.above(lambda text: len(text.words)))),
    "short_words": (3, m.of_words(m.below(m.mean_length))),
    "long_words": (10, m.of_words(m.above(m.mean_length))),
    "many_symbols": (0.1, m.of_words(m.above(m.symbols))),
    "bullet_lines": (0.9, m.above(m.bullets)),
    "ellipsis_lines": (0.3, m.above(m.ellipses)),
    "few_alphabetic_words": (0.8, m.of_words(m.below(m.alphabetic))),
    "few_stop_words": (2, m.below(m.stop_words)),
    "repeated_lines": (0.3, m.above(lambda text: m.repeated(text.lines))),
    "repeated_paragraphs": (0.3, m.above(lambda text: m.repeated(text.paragraphs))),
    "repeated_line_characters": (0.2, m.above(lambda text: m.repeated_characters(text.lines))),
    "repeated_paragraph_characters": (0.2, m.above(lambda text: m.repeated_characters(text.paragraphs))),
    "few_ended_lines": (0.12, m.below(m.ended)),
    "few_sentences": (5, m.below(m.sentences)),
    "curly_braces": (0, m.above(lambda text: text.text.count("{"))),
    "lorem_ipsum": (0, m.above(lambda text: text.text.lower().count("lorem ipsum"))),
    "javascript": (
        0,
        m.above(lambda text: len(re.findall(r"\b(?:enable|requires?|turn on)\s+javascript", text.text, re.I))),
    ),
}
"""Rule to its limit as published (few_sentences: as in the code that made C4) and to what decides;
the rule's name is the reason of the dropped row."""


def gram_rule(measure: Callable[[list[str], int], float], size: int) -> Rule:
    """A rule about runs of so many words."""
    return m.of_words(m.above(lambda text: measure(text.words, size)))


TOP = {2: 0.2, 3: 0.18, 4: 0.16}
AGAIN = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1}
RULES |= {f"top_{size}_gram": (limit, gram_rule(m.top_gram, size)) for size, limit in TOP.items()}
RULES |= {f"repeated_{size}_grams": (limit, gram_rule(m.repeated_grams, size)) for size, limit in AGAIN.items()}

GROUPS: dict[str, tuple[str, ...]] = {
    "gopher": (
        "too_few_words", "too_many_words", "short_words", "long_words", "many_symbols", "bullet_lines",
        "ellipsis_lines", "few_alphabetic_words", "few_stop_words",
    ),
    "gopher_repetition": (
        "repeated_lines", "repeated_paragraphs", "repeated_line_characters", "repeated_paragraph_characters",
        *(f"top_{size}_gram" for size in TOP), *(f"repeated_{size}_grams" for size in AGAIN),
    ),
    "c4": ("few_ended_lines", "few_sentences", "curly_braces", "lorem_ipsum", "javascript"),
}  # fmt: skip
NAMES = (*GROUPS, *RULES, "bad_words")


class Quality(Single):
    """Rows whose replies fail a rule are dropped, the rule's name as the reason; the rules are those of Gopher and C4.

    The limits are those published for web pages, where C4's rule of ended lines is FineWeb's share. Stop words are
    looked for in the text's own script (Latin: English, Arabic: Persian), and not at all where no list suits it; rules
    about words say nothing of scripts without spaces. A text in another language of these scripts needs other rules.
    """

    main = "rules"
    rules: list[str] = Field(
        ["gopher", "gopher_repetition"], description=f"Rules and groups of rules: {', '.join(NAMES)}."
    )
    limits: dict[str, float] = Field(
        default_factory=dict,
        description="Rule to a limit of your own, for example {too_few_words: 5} for short replies.",
    )
    bad_words: list[str] = Field(
        default_factory=list, description="Words and phrases of the rule bad_words, whole words, in any case."
    )

    @model_validator(mode="after")
    def known(self) -> Quality:
        """Refuse rules that do not exist, and bad_words without words."""
        for name in (*self.rules, *self.limits):
            if name not in (NAMES if name in self.rules else RULES):
                near = closest(name, NAMES)
                raise ValueError(f"there is no rule {name!r}" + (f"; did you mean {near}" if near else ""))
        if "bad_words" in self.rules and not self.bad_words:
            raise ValueError("the rule bad_words needs words; give them with bad_words")
        return self

    def start(self) -> Callable[[Row], Outcome]:
        """Judge every row."""
        return partial(check, rules=self.chosen())

    def chosen(self) -> dict[str, Callable[[m.Text], bool]]:
        """Rule to what decides, in the order of the recipe."""
        names = dict.fromkeys(rule for name in self.rules for rule in GROUPS.get(name, (name,)))
        found = {name: limited(name, self.limits) for name in names if name != "bad_words"}
        if self.bad_words and "bad_words" in names:
            words = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, self.bad_words))})(?!\w)", re.IGNORECASE)
            found["bad_words"] = lambda text: bool(words.search(text.text))
        return found


def limited(name: str, limits: dict[str, float]) -> Callable[[m.Text], bool]:
    """A rule with the recipe's limit or the published one."""
    limit, rule = RULES[name]
    return lambda text: rule(text, limits.get(name, limit))


def check(row: Row, rules: dict[str, Callable[[m.Text], bool]]) -> Outcome:
    """Drop the row if what is learnt of it, its replies together, fails a rule."""
    text = m.Text("\n\n".join(message.content for message in row.conversation.messages if message.supervised))
    failed = next((name for name, fails in rules.items() if fails(text)), None)
    return Dropped(failed) if failed else row
