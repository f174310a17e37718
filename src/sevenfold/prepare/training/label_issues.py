"""Training rows with a wrong label go, or get the likely one."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.labels.queue import Meta, Review, write_reviews
from sevenfold.prepare.labels.suspects import findings, suspects, text_of
from sevenfold.prepare.naming import REPLY, needed_value
from sevenfold.prepare.training import Change
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors

if TYPE_CHECKING:
    from sevenfold.findings import Findings
    from sevenfold.prepare.dataset import Row
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work

REASON = "mislabelled"
DONE = {"drop": "; they were dropped", "relabel": "; they got the likely label", "queue": "; they wait for a person"}


class LabelIssues(Change):
    """Training rows whose label is most likely wrong, by confident learning, dropped, corrected or put to a person.

    `queue` keeps them as they are and writes `review.jsonl` in a folder of the change's name.
    """

    main = "do"
    do: Literal["drop", "relabel", "queue"] = Field("drop", description="What becomes of the rows.")
    column: str = Field(REPLY, description="The column of the label, or reply: the last reply.")
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=lambda: VECTORS.find("e5")(), description="What the classifier sees of a text."
    )

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """The rows; memory grows with them (texts, and 4 bytes for each figure of a vector)."""
        rows = list(shelf)
        labels = [needed_value(row, self.column) for row in rows]
        with work.console.task("looking for wrong labels (rows)", len(rows)) as task:
            found = suspects([text_of(row) for row in rows], labels, self.vectors, work.seed, "prepare.training")
            task.advance(len(rows))
        if self.do == "queue":
            folder = work.folder / work.name
            folder.mkdir(exist_ok=True)
            reviews = (
                Review(
                    rows[one.number].origin, text_of(rows[one.number]), one.given, one.scores, "its label seems wrong"
                )
                for one in found
            )
            write_reviews(folder, reviews, Meta(sorted(set(labels))))
        wrong = {one.number: one.suggested for one in found}
        for number, row in enumerate(rows):
            if number not in wrong or self.do == "queue":
                yield row
            elif self.do == "drop":
                work.drop(row, REASON)
            else:
                yield relabelled(row, self.column, wrong[number])
        return findings(found, rows, DONE[self.do])


def relabelled(row: Row, column: str, label: str) -> Row:
    """The row with another label; what it had stays in the column ``label_before``."""
    fields = {**row.fields, "label_before": needed_value(row, column)}
    if column in row.fields:
        return replace(row, fields={**fields, column: label})
    messages = list(row.conversation.messages)
    last = max(place for place, message in enumerate(messages) if message.role == "assistant")
    messages[last] = replace(messages[last], content=label)
    return replace(row, conversation=Conversation(tuple(messages)), fields=fields)
