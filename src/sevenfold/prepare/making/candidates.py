"""Rows that were written without looking at private ones: from a file, or by a model that is told the task alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sevenfold.errors import DataError
from sevenfold.prepare.making.endpoint import Asking
from sevenfold.prepare.naming import REPLY
from sevenfold.prepare.synthesis import read

AT_ONCE = 5
"""Candidates that one request asks for."""


class Candidate(NamedTuple):
    """A row that was written without the private ones.

    Args:
        prompt: What is asked.
        reply: The answer.
        label: Its label, perhaps empty.
    """

    prompt: str
    reply: str
    label: str

    @property
    def text(self) -> str:
        """As it is compared."""
        return f"{self.prompt}\n{self.reply}"


def written_by(asking: Asking, about: str, count: int, labels: tuple[str, ...]) -> Iterator[Candidate]:
    """Candidates that the model writes knowing the task alone."""
    labels = labels or ("",)
    for number in range(-(-count // AT_ONCE)):
        label = labels[number % len(labels)]
        kind = f" All are of the kind {label!r}." if label else ""
        answer = asking.answer(
            f"Write {AT_ONCE} different rows of a data set, each in the form <row><prompt>...</prompt>"
            f"<reply>...</reply></row>. {about}{kind} This is request {number + 1}: choose other subjects "
            "than in the ones before. Write the rows and nothing else.",
            number,
        )
        yield from (Candidate(one.prompt, one.reply, label) for one in read(answer) if not one.unreadable)


def varied(found: list[Candidate], asking: Asking, number: int) -> Iterator[Candidate]:
    """A variation of each candidate that was kept; the model sees nothing but the candidate."""
    for one in found:
        answer = asking.answer(
            f"<row><prompt>{one.prompt}</prompt><reply>{one.reply}</reply></row>\n\nWrite this row again with "
            "another wording and other details, in the same form. Write the row and nothing else.",
            number,
        )
        yield from (Candidate(new.prompt, new.reply, one.label) for new in read(answer) if not new.unreadable)


def distinct(found: list[Candidate]) -> list[Candidate]:
    """Each candidate once."""
    return list(dict.fromkeys(found))


def from_file(path: str, by: str | None) -> Iterator[Candidate]:
    """The candidates of a file of JSON Lines.

    Raises:
        DataError: The file is not there, or a line is no candidate.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the candidates cannot be read: {error}", where=path) from None
    for number, line in enumerate(lines, start=1):
        try:
            kept = json.loads(line)
            prompt, reply = str(kept["prompt"]), str(kept["completion"])
            label = reply if by == REPLY else str(kept[by]) if by else ""
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(
                f"the line is no candidate: {type(error).__name__} {error}",
                where=f"{path}:{number}",
                expected="a JSON object with prompt, completion" + (f" and {by}" if by and by != REPLY else ""),
            ) from None
        yield Candidate(prompt, reply, label)
