"""New rows in one request, after a few examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.synthesis import Draft, Order, Synthesiser, read

if TYPE_CHECKING:
    from sevenfold.prepare.making.endpoint import Asking


class OnePrompt(Synthesiser):
    """Several rows a request, after examples that differ from request to request (Self-Instruct, arXiv 2212.10560)."""

    main = "at_once"
    at_once: int = Field(4, ge=1, le=50, description="Rows that one request asks for.")

    def drafts(self, asking: Asking, order: Order) -> Iterator[Draft]:
        """What the model writes."""
        yield from read(asking.answer(self.question(order), order.number))

    def question(self, order: Order) -> str:
        """What is asked."""
        return (
            f"{order.task}Write {self.at_once} new rows of the same task, in the same form and language. "
            "Their content is new: other subjects, other wording, other lengths. Every reply is right. "
            "Write the rows and nothing else."
        )
