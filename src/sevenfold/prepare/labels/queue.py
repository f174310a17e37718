"""The files between the machine and the people who label: what is asked of them, and what they said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from sevenfold.errors import DataError
from sevenfold.record import write_json, writing

REVIEW_FILE, META_FILE = "review.jsonl", "review.meta.json"

Line = TypeVar("Line", "Review", "Answer")


@dataclass(frozen=True)
class Review:
    """A row that a person should look at.

    Args:
        origin: Where it came from; an answer names it.
        text: What is labelled.
        label: The label that it has or that is suggested; None: none.
        scores: Labels to their probabilities.
        why: Why it is asked, a few words.
        context: Other columns of the row.
    """

    origin: str
    text: str
    label: str | None = None
    scores: dict[str, float] = field(default_factory=dict)
    why: str = ""
    context: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a person said of a row.

    Args:
        origin: The row.
        label: The label, or several; None: the person could not tell.
        annotator: Who said it.
        seconds: How long it took.
        at: When, ISO 8601.
        note: What else was said.
    """

    origin: str
    label: str | list[str] | None
    annotator: str = ""
    seconds: float = 0.0
    at: str = ""
    note: str = ""


@dataclass(frozen=True)
class Meta:
    """What is asked of all rows of a queue.

    Args:
        labels: The labels to choose from.
        question: What a person is asked.
        multi: Whether a row may have several labels.
    """

    labels: list[str]
    question: str = "Which label is right?"
    multi: bool = False


def write_reviews(folder: Path, reviews: Iterable[Review], meta: Meta) -> int:
    """Write ``review.jsonl`` and ``review.meta.json``; gives the number of rows."""
    count = 0
    with writing(folder / REVIEW_FILE) as temporary, temporary.open("w", encoding="utf-8") as file:
        for review in reviews:
            file.write(json.dumps(asdict(review), ensure_ascii=False) + "\n")
            count += 1
    write_json(folder / META_FILE, asdict(meta))
    return count


def read_reviews(path: Path) -> Iterator[Review]:
    """The rows of a queue, in order.

    Raises:
        DataError: The file is not there or a line is none of a queue.
    """
    return read_lines(path, Review, {"origin": str, "text": str, "label": str | None})


def read_answers(path: Path) -> Iterator[Answer]:
    """The answers of a file, in order.

    Raises:
        DataError: The file is not there or a line is no answer.
    """
    return read_lines(path, Answer, {"origin": str, "label": str | list | None, "annotator": str, "at": str})


def read_meta(folder: Path) -> Meta:
    """What is asked of the rows of a queue.

    Raises:
        DataError: The file is not there or says something else.
    """
    path = folder / META_FILE
    try:
        return Meta(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"the queue's labels cannot be read: {error}", where=str(path)) from None


def read_lines(path: Path, kind: type[Line], types: dict[str, Any]) -> Iterator[Line]:
    """Lines of JSON as objects.

    Args:
        path: The file.
        kind: What a line holds.
        types: Columns and what they may be.

    Raises:
        DataError: The file cannot be read; a line is no object or lacks what it must hold.
    """
    known = {one.name for one in fields(kind)}
    try:
        file = path.open(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be read: {error.strerror}", where=str(path)) from None
    with file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield one_line(line, f"{path}:{number}", kind, known, types)
        except UnicodeDecodeError:
            raise DataError("this is not UTF-8", where=str(path), expected="JSON Lines in UTF-8") from None


def one_line(line: str, where: str, kind: type[Line], known: set[str], types: dict[str, Any]) -> Line:
    """A line as an object; keys that it does not know are left, since other programs add theirs."""
    expected = "one object a line with origin and label"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise DataError("a line is not JSON", where=where, expected=expected) from None
    if not isinstance(value, dict) or not {"origin", *list(types)[1:2]} <= value.keys():
        raise DataError("a line is no answer or row of a queue", where=where, expected=expected)
    for name, wanted in types.items():
        if name in value and not isinstance(value[name], wanted):
            raise DataError(
                f"{name} is {value[name]!r}", where=where, expected=str(getattr(wanted, "__name__", wanted))
            )
    if isinstance(value.get("label"), list) and not all(isinstance(one, str) for one in value["label"]):
        raise DataError(f"label is {value['label']!r}", where=where, expected="a text, a list of texts, or null")
    return kind(**{name: item for name, item in value.items() if name in known})
