"""The files between the machine and the people who label: what is asked of them, and what they said."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sevenfold.record import write_json, writing

REVIEW_FILE, META_FILE = "review.jsonl", "review.meta.json"


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
