"""The recipe's section ``prepare.label``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sevenfold.prepare.labels.functions import Rule
from sevenfold.schema import Chosen, Strict
from sevenfold.vectors import VECTORS, Vectors


class Label(Strict):
    """Labels for rows that have none, by the first way that has one: people, functions, a classifier."""

    column: str = Field("label", description="The column that gets the label; what stands there already stays.")
    text: str | None = Field(None, description="The column of the text; default: text, sentence, content or the like.")
    labels: tuple[str, ...] = Field((), description="The labels there are; default: all that anyone says.")
    question: str = Field("Which label is right?", description="What people are asked of a row in the queue.")
    answers: tuple[str, ...] = Field((), description="Files of what people said (JSON Lines); they count above all.")
    functions: str | None = Field(
        None, description="Your Python file: each function takes a text, gives a label or None."
    )
    rules: tuple[Rule, ...] = Field(
        (), description="Rules: {contains: [refund], label: money}, {regex: ..., label: ...}."
    )
    model: Annotated[Vectors, Chosen(VECTORS)] | None = Field(
        None, description="A classifier on these vectors, trained on the labelled rows; not given: none."
    )
    precision: float = Field(0.95, gt=0, lt=1, description="The share of automatic labels that shall be right.")
    queue: int = Field(200, ge=0, description="Rows at most that are put to people.")

    def files(self) -> list[str]:
        """The files that are read."""
        return [*self.answers, *([self.functions] if self.functions else [])]
