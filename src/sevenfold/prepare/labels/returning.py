"""Another tool's answers taken into the answers file: what fits the review is kept, all else is counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sevenfold.errors import DataError, RecipeError, first_line
from sevenfold.page.answers import now
from sevenfold.prepare.labels.answers import Answers, same
from sevenfold.prepare.labels.exchange import EXCHANGES, Exchange, Returned
from sevenfold.prepare.labels.queue import Answer
from sevenfold.prepare.labels.review import Queue

BATCH = 500
"""Answers that are written at once."""
SHOWN = 5
"""Examples of each odd thing that are named."""


@dataclass
class Taken:
    """What became of a file of answers.

    Args:
        counts: How often each thing happened: ``answers`` that were taken, and the reasons why others were not.
        examples: The first rows or labels of each reason.
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def odd(self, reason: str, example: str | None) -> None:
        """Count something that was not taken."""
        self.counts[reason] += 1
        named = self.examples.setdefault(reason, [])
        if example is not None and len(named) < SHOWN:
            named.append(example)


def exchange_named(name: str) -> Exchange:
    """A format by its name, in which - and _ are one.

    Raises:
        RecipeError: There is no such format.
    """
    return EXCHANGES.find(name.replace("-", "_"))()


def detect(path: Path) -> Exchange:
    """The format that a file is in.

    Raises:
        RecipeError: It is in none, or in several.
    """
    first = first_object(path)
    fitting = [name for name in EXCHANGES.names() if EXCHANGES.find(name)().recognises(path, first)]
    if len(fitting) != 1:
        raise RecipeError(
            f"the format cannot be told: {'several fit' if fitting else 'none fits'}",
            where=str(path),
            alternatives=fitting or EXCHANGES.names(),
            next_step=f"name it: --import FORMAT {path}",
        )
    return exchange_named(fitting[0])


def first_object(path: Path) -> dict[str, Any]:
    """The first JSON object of a file, of its list or of its lines; empty where there is none."""
    if path.suffix not in (".json", ".jsonl", ".ndjson"):
        return {}
    try:
        if path.suffix == ".json":
            found = json.loads(path.read_text(encoding="utf-8-sig"))
            first = found[0] if isinstance(found, list) and found else found
        else:
            with path.open(encoding="utf-8-sig") as file:
                first = json.loads(next((line for line in file if line.strip()), "{}"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"the file is no JSON: {first_line(error)}", where=str(path)) from error
    return first if isinstance(first, dict) else {}


def take(exchange: Exchange, path: Path, review: Queue, answers: Answers, annotator: str | None) -> Taken:
    """Append what a tool's export says.

    Args:
        exchange: The file's format.
        path: The file.
        review: What was asked.
        answers: Where the answers go.
        annotator: Whose answers these are; None: as the tool says, or the file's name where it says nothing.

    Raises:
        DataError: The file cannot be read.
    """
    taken = Taken()
    found = fitting(exchange.read(path), review, taken, annotator or "", path.stem)
    try:
        while batch := list(islice(found, BATCH)):
            new = [one for one in batch if not same(one, answers.of(one.origin, one.annotator))]
            taken.counts["answers"] += len(new)
            taken.counts["there already"] += len(batch) - len(new)
            if new:
                answers.append(new)
    except UnicodeDecodeError as error:
        raise DataError(f"the file is no UTF-8: {error.reason}", where=str(path)) from error
    return taken


def fitting(found: Iterator[Returned], review: Queue, taken: Taken, annotator: str, unnamed: str) -> Iterator[Answer]:
    """The answers that fit a review; the others are counted."""
    for one in found:
        reason, example = fault(one, review)
        if reason:
            taken.odd(reason, example)
            continue
        assert one.origin is not None
        labels = one.labels or []
        label = None if one.passed else labels if review.multi else labels[0]
        name = annotator or one.annotator or unnamed
        yield Answer(one.origin, label, name, round(one.seconds, 1), one.at or now(), one.note)


def fault(one: Returned, review: Queue) -> tuple[str, str | None]:
    """Why what a tool says cannot be taken, with what is odd about it; an empty reason: it can."""
    if one.origin is None:
        return "without the row's origin", None
    if one.origin not in review.places:
        return "rows that are not in the queue", one.origin
    if one.passed:
        return "", None
    if one.labels is None:
        return "not answered", one.origin
    unknown = next((label for label in one.labels if label not in review.labels), None)
    if unknown is not None:
        return "unknown labels", unknown
    if not review.multi and len(one.labels) != 1:
        return ("several labels where one is asked" if one.labels else "not answered"), one.origin
    return "", None
