"""The rows: every kind asks for its items, and all kinds take turns until there are enough rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from sevenfold.prepare.sources._cldr.asking import FORMS, NOUNS, QUESTIONS, question_of
from sevenfold.prepare.sources._cldr.items import Item, Writing
from sevenfold.prepare.sources._cldr.pair import Side

REPEATS = 1000
"""After so many questions in a row that were asked before, a kind has no more."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer.

    Args:
        kind: Of the item.
        format: How it is asked: the instruction's language and its wording, the given and the asked writing.
        parts: What it is composed of: the parts of both writings, and the format.
        prompt: The question.
        completion: The answer.
    """

    kind: str
    format: str
    parts: tuple[str, ...]
    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Asking:
    """How the two languages' items are asked for.

    Args:
        sides: The two languages.
        languages: Those of the instructions.
    """

    sides: tuple[Side, Side]
    languages: Sequence[str]

    def exchanges(self, item: Item, crossings: Iterable[tuple[Writing, Writing]]) -> list[Exchange]:
        """An item in every format, in a fixed order."""
        return [
            self.exchange(item, given, asked, language, wording)
            for given, asked in crossings
            for language in self.languages
            for wording in QUESTIONS[language][question_of(given.style, asked.style)]
        ]

    def exchange(self, item: Item, given: Writing, asked: Writing, language: str, wording: str) -> Exchange:
        """An item in one format."""
        template = QUESTIONS[language][question_of(given.style, asked.style)][wording]
        called = {side.code: side.called_in(language) for side in self.sides}
        prompt = template.format(
            noun=NOUNS[language][item.noun],
            source=called.get(given.language or "", ""),
            target=called.get(asked.language or "", ""),
            form=FORMS[language].get(asked.style, ""),
            text=given.text,
        )
        way = f"{item.kind} {language}.{wording} {given.label}>{asked.label}"
        return Exchange(item.kind, way, (*given.parts, *asked.parts, way), prompt, asked.text)


Allowed = Callable[[Writing, Writing], bool]


def layered(items: Sequence[Item], allowed: Allowed, asking: Asking, dice: Random) -> Iterator[Exchange]:
    """A finite kind: every item in one of its formats, then every item in another, until each was asked in all.

    However many rows are taken, all items are asked about as often.
    """
    shuffled = dice.sample(items, len(items))
    formats = [asking.exchanges(item, item.crossings(allowed)) for item in shuffled]
    orders = [dice.sample(found, len(found)) for found in formats]
    for layer in itertools.zip_longest(*orders):
        yield from (exchange for exchange in layer if exchange is not None)


def drawn(items: Iterable[Item], allowed: Allowed, asking: Asking, dice: Random) -> Iterator[Exchange]:
    """A kind without end: each drawn item in one format, no question twice."""
    seen: set[str] = set()
    repeats = 0
    for item in items:
        found = dice.choice(asking.exchanges(item, item.crossings(allowed)))
        if found.prompt in seen:
            repeats += 1
            if repeats == REPEATS:
                return
            continue
        repeats = 0
        seen.add(found.prompt)
        yield found


def take_turns(kinds: Sequence[Iterator[Exchange]], count: int) -> Iterator[Exchange]:
    """One exchange of each kind in turn, ``count`` at most; a kind that has no more leaves its turns to the others."""
    waiting = list(kinds)
    taken = 0
    while waiting:
        for kind in tuple(waiting):
            exchange = next(kind, None)
            if exchange is None:
                waiting.remove(kind)
                continue
            yield exchange
            taken += 1
            if taken == count:
                return
