"""What the labelling page asks and is told; the progress and the pace are those of every page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from sevenfold.errors import DataError
from sevenfold.page import desk
from sevenfold.page.answers import now, seconds_of
from sevenfold.prepare.keys import hashed
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.queue import Answer
from sevenfold.prepare.labels.review import Queue


class Desk(desk.Desk[Answer]):
    """One annotator at work on a review.

    Args:
        review: What is asked.
        answers: Where the answers go; others may append to the same file.
        annotator: Who answers.
        overlap: The share of the rows that everyone is asked, 0 to 1; the same ones for everyone. Of the others a row
            that somebody has answered is not asked again.
    """

    page: ClassVar[Path] = Path(__file__).parent
    done_word: ClassVar[str] = "labelled"

    def __init__(self, review: Queue, answers: Answers, annotator: str, overlap: float = 0.0) -> None:
        self.review, self.overlap = review, overlap
        for_all = [hashed(("overlap", item.origin), size=6) / 2**48 < overlap for item in review.items]
        super().__init__([item.origin for item in review.items], answers, annotator, for_all)

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
        item = self.review.items[self.checked(place)]
        self.answers.refresh()
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
        origin, label = self.known(sent.get("origin")), sent.get("label")
        self.check(label)
        note = str(sent.get("note") or "")[: desk.NOTE]
        self.answers.append([Answer(origin, label, self.annotator, seconds_of(sent.get("seconds")), now(), note)])
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

    def passed(self, answer: Answer) -> bool:
        """Whether the row got no label."""
        return answer.label is None

    def place_of(self, origin: str) -> int | None:
        """Where in the queue a row stands."""
        return self.review.places.get(origin)
