"""Rows of judged answers: pairs of a preferred and another one, and answers that are good or bad."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.dataset import Dataset, Row
from tests import rows


def pair(number: int) -> Row:
    """A preferred answer that differs from the other in its length and its words."""
    words = rows.WORDS[number % 4 : number % 4 + 1 + number % 5]
    return Row(rows.conversation(number), f"made:{number}", {"rejected": f"not {' '.join(reversed(words))}"})


def rating(number: int) -> Row:
    """The first of a pair, called good, or the second, called bad."""
    row = pair(number)
    if number % 2:
        return replace(row, fields={"desirable": "true"})
    *before, last = row.conversation.messages
    bad = replace(last, content=row.fields["rejected"])
    return replace(row, conversation=Conversation((*before, bad)), fields={"desirable": "false"})


def made(folder: Path, row) -> Dataset:
    """Twenty training rows, six validation rows and six test rows in ``folder``."""
    folder.mkdir()
    result = Dataset(counts={"train": 20, "validation": 6, "test": 6}).save(folder)
    for split, numbers in (("train", range(20)), ("validation", range(20, 26)), ("test", range(26, 32))):
        rows.write_split(result, split, [row(number) for number in numbers])
    return result


def pairs(folder: Path) -> Dataset:
    """Pairs."""
    return made(folder, pair)


def ratings(folder: Path) -> Dataset:
    """Ratings."""
    return made(folder, rating)
