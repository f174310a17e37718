"""What the page asks and is told: rows, progress, pace; without a word of HTTP."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from statistics import median
from typing import Any

from sevenfold.errors import DataError
from sevenfold.prepare.keys import hashed
from sevenfold.prepare.labels.answers import Answers, now
from sevenfold.prepare.labels.queue import Answer
from sevenfold.prepare.labels.review import Queue

RECENT = 20
"""Answers whose median time is the pace, so that a break does not slow it."""
NOTE = 4000
"""Characters of a note at most."""


class Desk:
    """One annotator at work on a review.

    Args:
        review: What is asked.
        answers: Where the answers go; others may append to the same file.
        annotator: Who answers.
        overlap: The share of the rows that everyone is asked, 0 to 1; the same ones for everyone. Of the others a row
            that somebody has answered is not asked again.
    """

    def __init__(self, review: Queue, answers: Answers, annotator: str, overlap: float = 0.0) -> None:
        self.review, self.answers, self.annotator, self.overlap = review, answers, annotator, overlap
        self.for_all = [hashed(("overlap", item.origin), size=6) / 2**48 < overlap for item in review.items]

    def task(self) -> dict[str, Any]:
        """What the page needs once."""
        review = self.review
        asked = {"labels": review.labels, "question": review.question, "multi": review.multi}
        return {**asked, "annotator": self.annotator, "rows": len(review.items), **self.after(-1)}

    def row(self, place: int) -> dict[str, Any]:
        """One row, with what holds of this annotator.

        Raises:
            DataError: There is no such row.
        """
        if not 0 <= place < len(self.review.items):
            raise DataError(f"there is no row {place}", expected=f"0 to {len(self.review.items) - 1}")
        self.answers.refresh()
        item = self.review.items[place]
        mine = self.answers.of(item.origin, self.annotator)
        fields = {**asdict(item), "label": item.suggested}
        return {**fields, "place": place, "answer": asdict(mine) if mine else None, "mine": self.is_mine(place)}

    def answer(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Keep an answer; gives the row to ask next.

        Args:
            sent: ``origin``, ``label`` (None: passed over), ``seconds`` and ``note``.

        Raises:
            DataError: The row or a label is not among those that are asked.
        """
        origin, label, seconds = sent.get("origin"), sent.get("label"), sent.get("seconds")
        if not isinstance(origin, str) or origin not in self.review.places:
            raise DataError(f"the row {origin!r} is not in the queue")
        self.check(label)
        time = round(min(max(float(seconds), 0.0), 86_400.0), 2) if isinstance(seconds, int | float) else 0.0
        note = str(sent.get("note") or "")[:NOTE]
        self.answers.append([Answer(origin, label, self.annotator, time, now(), note)])
        return self.after(self.review.places[origin])

    def check(self, label: object) -> None:
        """Refuse what is no label of this review.

        Raises:
            DataError: It is none.
        """
        chosen = label if isinstance(label, list) and self.review.multi else [label]
        for one in [] if label is None else chosen:
            if not isinstance(one, str) or one not in self.review.labels:
                raise DataError(f"{one!r} is none of the labels", value=str(one), alternatives=self.review.labels)
        if len(chosen) > len(set(map(str, chosen))):
            raise DataError("a label stands twice in an answer")
        if isinstance(label, str) and self.review.multi:
            raise DataError("several labels may fit", expected="a list of labels")

    def undo(self) -> dict[str, Any]:
        """Take the last answer back; gives its row, None when there was nothing to undo."""
        origin = self.answers.undo(self.annotator)
        return {**self.after(-1), "undone": self.review.places.get(origin) if origin is not None else None}

    def after(self, place: int) -> dict[str, Any]:
        """The next row to ask behind a place (from the start again at the end), and how far the work is."""
        self.answers.refresh()
        mine = [self.is_mine(number) for number in range(len(self.review.items))]
        waiting = [number for number, own in enumerate(mine) if own and self.is_open(number)]
        behind = next((number for number in waiting if number > place), waiting[0] if waiting else None)
        held = [self.answers.of(item.origin, self.annotator) for item in self.review.items]
        done = [answer for answer in held if answer is not None]
        pace = self.pace(done)
        counts = Counter("skipped" if answer.label is None else "labelled" for answer in done)
        elsewhere = mine.count(False)
        progress = {"left": len(waiting), "elsewhere": elsewhere, **counts, "seconds_a_row": pace}
        return {"next": behind, "progress": {"labelled": 0, "skipped": 0, **progress}}

    def is_mine(self, place: int) -> bool:
        """Whether a row is asked of this annotator: nobody else has it, or it is asked of everyone."""
        held = self.answers.held.get(self.review.items[place].origin, {})
        return self.for_all[place] or not held or self.annotator in held

    def is_open(self, place: int) -> bool:
        """Whether this annotator has not dealt with a row."""
        return self.answers.of(self.review.items[place].origin, self.annotator) is None

    def pace(self, done: list[Answer]) -> float | None:
        """Seconds a row: the median of the last answers that took time; None before the first."""
        timed = sorted((answer for answer in done if answer.seconds > 0), key=lambda answer: answer.at)[-RECENT:]
        return round(median(answer.seconds for answer in timed), 1) if timed else None
