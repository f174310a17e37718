"""The answers file of labels.

A line is ``{"origin", "label", "annotator", "seconds", "at", "note"}``; ``label`` is a label, a list of labels where
several may fit, or null for a row that was passed over. How lines are kept: :mod:`sevenfold.page.answers`.
"""

from __future__ import annotations

from typing import Any

from sevenfold.errors import DataError
from sevenfold.page.answers import Log, now
from sevenfold.prepare.labels.queue import Answer
from sevenfold.prepare.labels.review import is_label

Label = str | list[str] | None


def same(answer: Answer, other: Answer | None) -> bool:
    """Whether two answers say the same."""
    return other is not None and (answer.label, answer.note) == (other.label, other.note)


class Answers(Log[Answer]):
    """The labels in a file."""

    def answer_of(self, row: Any) -> Answer:
        """The answer that a line says.

        Raises:
            DataError: It is none.
        """
        if not isinstance(row, dict) or not isinstance(row.get("origin"), str):
            raise DataError("the line is no answer", expected='{"origin": "rows.csv:7", "label": "positive"}')
        label = row.get("label")
        if label is not None and not is_label(label):
            raise DataError(f"the label {label!r} is no text")
        seconds = row.get("seconds") or 0.0
        time = float(seconds) if isinstance(seconds, int | float) else 0.0
        note, at = str(row.get("note") or ""), str(row.get("at") or "")
        return Answer(row["origin"], label, str(row.get("annotator") or ""), time, at, note)

    def again(self, about: Answer, before: Answer | None) -> Answer:
        """What held before, or a row that was passed over."""
        said = (before.label, before.note) if before else (None, "")
        return Answer(about.origin, said[0], about.annotator, 0.0, now(), said[1])
