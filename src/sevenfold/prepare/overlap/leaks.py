"""Leaks: training rows that hold text of the held-out splits or of an evaluation set.

A row leaks when it shares 13 words in a row (Brown et al. 2020, "Language Models are Few-Shot Learners", appendix C),
or when a shorter turn of a user is, word for word, a text of what is held out. As there, words that more than ten
training rows share are a common phrase (an instruction, a letter's ending) and no leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sevenfold.prepare.codes import Coded
from sevenfold.prepare.dataset import REJECTED, Row
from sevenfold.prepare.overlap.grams import Seen, Table, grams
from sevenfold.prepare.overlap.references import passages
from sevenfold.prepare.overlap.settings import Decontaminate
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.packing import unpacked
from sevenfold.prepare.shelf import Shelf, batches

if TYPE_CHECKING:
    from sevenfold.console import Console

HELD_OUT = ("validation", "test")


class Leak(NamedTuple):
    """Where a training row meets what is held out.

    Args:
        where: The place of the text there: ``file:line``.
        words: The first words that are shared.
    """

    where: str
    words: str


@dataclass
class Leaks:
    """What was found.

    Args:
        rows: The training rows that leak.
        texts: Texts of the evaluation sets that were compared.
        common: Pieces of text that were shared by too many rows to be leaks.
    """

    rows: dict[int, Leak] = field(default_factory=dict)
    texts: int = 0
    common: int = 0


def find_leaks(path: Path, settings: Decontaminate, sides: Coded, console: Console) -> Leaks:
    """The training rows that leak; 12 bytes a word of what is held out stay in memory, and nothing of training rows.

    Args:
        path: The staged rows.
        settings: How many words, what is common, which evaluation sets.
        sides: The split of each staged row.
        console: Where progress goes.

    Raises:
        DataError: An evaluation set cannot be read.
    """
    seen, leaks = Seen(), Leaks()
    origins: list[str] = []
    for text, origin in passages(settings.against):
        seen.add(words_of(text), settings.words, len(sides) + len(origins))
        origins.append(origin)
    with console.task("leaks (rows)", len(sides)) as task:
        for number, row in rows_on(path, sides, HELD_OUT):
            for words in turns(row, settings.words):
                seen.add(words, settings.words, number)
            task.advance(1)
        table = seen.settled()
        met = list(meetings(table, path, settings, sides))
        task.advance(sides.count("train"))
    shelf = Shelf(path)
    for number in sorted({row for place, row in met if table.asked[place] <= settings.common}):
        owner, shared = first_meeting(table, shelf.row(number), settings)
        outside = owner - len(sides)
        leaks.rows[number] = Leak(origins[outside] if outside >= 0 else shelf.row(owner).origin, shared)
    leaks.texts, leaks.common = len(origins), int((table.asked > settings.common).sum())
    return leaks


def rows_on(path: Path, sides: Coded, wanted: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    """The staged rows of some splits with their numbers."""
    start = 0
    for batch in batches(path):
        mine = sides[start : start + batch.num_rows]
        if any(side in wanted for side in mine):
            yield from ((start + place, row) for place, row in enumerate(unpacked(batch)) if mine[place] in wanted)
        start += batch.num_rows


def turns(row: Row, size: int) -> Iterator[list[str]]:
    """The words of each turn that can leak: all but system turns, of short ones only a user's."""
    said = [(message.role, message.content) for message in row.conversation.messages if message.role != "system"]
    for role, content in [*said, ("rejected", row.fields.get(REJECTED, ""))]:
        words = words_of(content)
        if len(words) >= size or role == "user":
            yield words


def meetings(table: Table, path: Path, settings: Decontaminate, sides: Coded) -> Iterator[tuple[int, int]]:
    """A gram's place in the table and a training row that has it; once it is known to be common, no more of it."""
    for number, row in rows_on(path, sides, ("train",)):
        places = {
            place
            for words in turns(row, settings.words)
            for place in table.find(grams(words, settings.words)).tolist()
            if place >= 0
        }
        for place in places:
            table.asked[place] += 1
            if table.asked[place] <= settings.common:
                yield place, number


def first_meeting(table: Table, row: Row, settings: Decontaminate) -> tuple[int, str]:
    """Who is met first, and in which words."""
    for words in turns(row, settings.words):
        pieces = grams(words, settings.words)
        for piece, place in zip(pieces, table.find(pieces).tolist(), strict=True):
            if place >= 0 and table.asked[place] <= settings.common:
                return int(table.owners[place]), piece
    raise AssertionError("a row that leaks has a gram that does")
