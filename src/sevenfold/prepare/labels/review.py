"""Rows to label: a review queue that `prepare` wrote, or any file of JSON rows.

A queue is ``review.jsonl``, one row a line: ``origin``, ``text``, ``label`` (the suggested one or null), ``scores``
(label to probability), ``why``, ``context`` (column to text). ``review.meta.json`` beside it has ``labels``,
``question`` and ``multi``. In a plain file of rows every other column is context. All rows are held in memory:
their text and about 1 kB a row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sevenfold.errors import DataError, RecipeError, first_line

TEXTS = ("text", "prompt", "sentence", "content")
"""Columns in which a plain row's text is looked for, in this order."""
QUESTION = "Which label fits?"


@dataclass(frozen=True, slots=True)
class Item:
    """One row to label.

    Args:
        origin: Where the row is from, which names it: ``rows.csv:7``.
        text: What is read.
        label: The suggested label, several where several may fit; None: nothing is suggested.
        scores: Probability of each label, where known.
        why: Why the row is asked about.
        context: Other columns of the row.
    """

    origin: str
    text: str
    label: str | list[str] | None = None
    scores: dict[str, float] = field(default_factory=dict)
    why: str = ""
    context: dict[str, str] = field(default_factory=dict)

    @property
    def suggested(self) -> list[str]:
        """The suggested labels as a list."""
        return [] if self.label is None else [self.label] if isinstance(self.label, str) else list(self.label)


@dataclass(frozen=True)
class Queue:
    """What is asked, of which rows.

    Args:
        items: The rows, in the order in which they are asked.
        labels: The labels to choose from.
        question: What is asked.
        multi: Whether several labels may fit, or none.
        unfit: Rows whose own label is none to choose from; it stands among their other columns and is not suggested.
    """

    items: list[Item]
    labels: list[str]
    question: str = QUESTION
    multi: bool = False
    unfit: int = 0

    @cached_property
    def places(self) -> dict[str, int]:
        """Where in the queue each row stands, by its origin."""
        return {item.origin: place for place, item in enumerate(self.items)}


@dataclass(frozen=True)
class Asked:
    """What a person asks for on the command line in place of the queue's own; None: as the queue says.

    Args:
        labels: The labels to choose from.
        question: What is asked.
        multi: Whether several labels may fit.
        text: The column that is read, in a plain file of rows.
    """

    labels: list[str] | None = None
    question: str | None = None
    multi: bool | None = None
    text: str | None = None


def read_review(path: Path, asked: Asked) -> Queue:
    """The rows of a queue or a plain file of rows.

    Args:
        path: ``review.jsonl``, or another file with one JSON object a line.
        asked: What is asked for in place of what the file says.

    Raises:
        DataError: The file, or a line of it, cannot be used.
        RecipeError: There are no labels to choose from.
    """
    meta = read_meta(path.with_name(f"{path.stem}.meta.json"))
    items = list(read_items(path, asked.text))
    check_origins(items, path)
    labels = asked.labels or meta.get("labels") or own_labels(items)
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise RecipeError(
            f"there is not a choice of labels: {', '.join(labels) or 'none'}",
            where=str(path),
            expected="two or more different labels",
            next_step="name them: --labels positive,negative",
        )
    multi = bool(meta.get("multi", False)) if asked.multi is None else asked.multi
    fitted = [fitting(item, set(labels), multi) for item in items]
    unfit = sum(one is not item for one, item in zip(fitted, items, strict=True))
    return Queue(fitted, labels, asked.question or str(meta.get("question") or QUESTION), multi, unfit)


def fitting(item: Item, labels: set[str], multi: bool) -> Item:
    """The row, with a label that cannot be chosen moved to its other columns."""
    if labels.issuperset(item.suggested) and (multi or len(item.suggested) < 2):
        return item
    return replace(item, label=None, context={"label": ", ".join(item.suggested), **item.context})


def read_meta(path: Path) -> dict[str, Any]:
    """What stands beside a queue: labels, question, multi; nothing where there is no such file.

    Raises:
        DataError: It is no JSON object, or its labels are no texts.
    """
    if not path.is_file():
        return {}
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"the file is no JSON: {first_line(error)}", where=str(path)) from error
    labels = meta.get("labels", []) if isinstance(meta, dict) else None
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise DataError("the queue's description cannot be used", where=str(path), expected='{"labels": ["a", "b"]}')
    return dict(meta)


def read_items(path: Path, column: str | None) -> Iterable[Item]:
    """The rows of a file, one JSON object a line; blank lines are no rows.

    Raises:
        DataError: The file is not there, or a line cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"the rows cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise DataError(f"the file is no UTF-8: {error.reason}", where=str(path)) from error
    # splitlines would also part a row at the line separators that JSON allows inside of texts.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield item_of(json_line(line, f"{path}:{number}"), f"{path.name}:{number}", column)


def json_line(line: str, where: str) -> dict[str, Any]:
    """The object of one line.

    Raises:
        DataError: It is no JSON object.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the line is no JSON: {first_line(error)}", where=where) from error
    if not isinstance(row, dict):
        raise DataError(f"the line is {type(row).__name__}", where=where, expected="one JSON object a line")
    return row


def item_of(row: dict[str, Any], place: str, column: str | None) -> Item:
    """One row, of a queue or of a plain file.

    Args:
        row: What the line says.
        place: The row's name where it brings none.
        column: The column that is read; None: one of the usual names.

    Raises:
        DataError: There is no text to read, or a part is of another kind than it must be.
    """
    name = column or next((name for name in TEXTS if name in row), None)
    if name is None or not isinstance(row.get(name), str):
        raise DataError(
            f"the row has no text in {name!r}" if name else "the row has no text",
            where=place,
            value=name,
            alternatives=[key for key, value in row.items() if isinstance(value, str)],
            next_step="name the column to read: --text COLUMN",
        )
    label, scores, context = row.get("label"), row.get("scores") or {}, row.get("context")
    if isinstance(label, int):
        # Sets of rows often number their labels.
        label = str(int(label))
    if label is not None and not is_label(label):
        raise DataError(f"the label {label!r} is no text", where=place, expected="a text, a list of texts, or null")
    if not isinstance(scores, dict) or not all(isinstance(score, int | float) for score in scores.values()):
        raise DataError(f"the scores {scores!r} are no numbers", where=place, expected='{"label": 0.9}')
    if not isinstance(context, dict):
        others = {key: value for key, value in row.items() if key not in {name, "origin", "label", "scores", "why"}}
        context = others
    columns = {str(key): value if isinstance(value, str) else as_text(value) for key, value in context.items()}
    return Item(str(row.get("origin") or place), row[name], label, dict(scores), str(row.get("why") or ""), columns)


def is_label(value: object) -> bool:
    """Whether a value is a label or a list of labels."""
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def as_text(value: object) -> str:
    """A column's value as it is read by people."""
    return json.dumps(value, ensure_ascii=False)


def own_labels(items: list[Item]) -> list[str]:
    """The labels that rows bring with them, sorted."""
    return sorted({label for item in items for label in item.suggested})


def check_origins(items: list[Item], path: Path) -> None:
    """Refuse an empty queue, and two rows of one name, whose answers could not be told apart.

    Raises:
        DataError: There are no rows, or two of one origin.
    """
    if not items:
        raise DataError("there are no rows to label", where=str(path))
    seen: set[str] = set()
    for item in items:
        if item.origin in seen:
            raise DataError(f"two rows have the origin {item.origin!r}", where=str(path), expected="one row each")
        seen.add(item.origin)
