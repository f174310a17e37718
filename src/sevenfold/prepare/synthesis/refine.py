"""New rows in steps: subjects are planned, a row is written for each, criticised, and written again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.synthesis import Draft, Order, Synthesiser, read

if TYPE_CHECKING:
    from sevenfold.prepare.making.endpoint import Asking

BULLET = re.compile(r"^\s*(?:[-*•]|[\d۰-۹]+[.):])\s*")
NO_FAULT = "NONE"


class Refine(Synthesiser):
    """Plan subjects, write, criticise, rewrite: several requests a row, for tasks where one request writes too plainly.

    Self-Refine (Madaan et al. 2023, arXiv 2303.17651) for each row, below a plan that keeps rows apart.
    """

    main = "subjects"
    subjects: int = Field(4, ge=1, le=50, description="Subjects that one plan names; each gives one row.")
    rewrites: int = Field(1, ge=0, le=5, description="Times a row is criticised and written again, unless faultless.")

    def drafts(self, asking: Asking, order: Order) -> Iterator[Draft]:
        """One row a subject of the plan."""
        for subject in self.plan(asking.answer(self.planning(order), order.number)):
            draft = self.first(asking, order, subject)
            for _ in range(0 if draft.unreadable else self.rewrites):
                better = self.better(asking, order, draft)
                if better is None:
                    break
                draft = better
            yield draft

    def planning(self, order: Order) -> str:
        """The question for a plan."""
        return (
            f"{order.task}Plan {self.subjects} new rows of the same task. Name for each its subject and what makes it "
            "different from the others, one line a row, in the language of the examples. "
            "Write the lines and nothing else."
        )

    def plan(self, answer: str) -> list[str]:
        """The subjects of a plan, each once."""
        lines = (BULLET.sub("", line).strip() for line in answer.splitlines())
        return list(dict.fromkeys(line for line in lines if line))[: self.subjects]

    def first(self, asking: Asking, order: Order, subject: str) -> Draft:
        """The row for a subject."""
        question = (
            f"{order.task}Write one new row of the same task, in the same form and language. Its subject: {subject}"
        )
        return one(asking.answer(f"{question}\nWrite the row and nothing else.", order.number))

    def better(self, asking: Asking, order: Order, draft: Draft) -> Draft | None:
        """The row after its critique; None where the critique finds nothing."""
        row = f"<row><prompt>{draft.prompt}</prompt><reply>{draft.reply}</reply></row>"
        critique = asking.answer(
            f"{order.task}Somebody wrote this new row:\n\n{row}\n\nName its faults: is the reply right and complete, "
            f"does the row belong to the task, is it in the same language? Write {NO_FAULT} if there are none.",
            order.number,
        )
        if not critique.strip() or critique.strip().strip(".").upper() == NO_FAULT:
            return None
        return one(
            asking.answer(
                f"{order.task}Somebody wrote this new row:\n\n{row}\n\nIts faults:\n{critique}\n\n"
                "Write the row again without them, in the same form. Write the row and nothing else.",
                order.number,
            )
        )


def one(answer: str) -> Draft:
    """The first row in an answer."""
    return next(iter(read(answer)))
