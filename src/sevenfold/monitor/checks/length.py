"""Answers that are cut or empty."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.monitor.baseline import Baseline
from sevenfold.monitor.checks import Check, Finding, worst
from sevenfold.monitor.window import Window


class Length(Check):
    """Whether too many answers hit the limit of tokens, or say nothing."""

    gives: ClassVar[tuple[str, ...]] = ("cut_share", "empty_share")

    cut: float = Field(
        0.1, ge=0, lt=1, description="Share of cut answers that is allowed; more: raise the limit, or it never ends."
    )
    empty: float = Field(
        0.01, ge=0, lt=1, description="Share of empty answers that is allowed; an empty answer helps nobody."
    )

    def judge(self, window: Window, baseline: Baseline) -> Finding:
        """Look at a window."""
        # An answer that calls a tool has no text and is not empty; its finish reason says so.
        spoken = [exchange for exchange in window.answered if exchange.finish_reason in ("stop", "length")]
        total = len(spoken)
        cut = sum(exchange.finish_reason == "length" for exchange in spoken)
        empty = sum(not visible(exchange.answer) for exchange in spoken)
        verdict, reason = worst(
            [
                self.judge_share("answers were cut by the limit", cut, total, self.cut),
                self.judge_share("answers are empty", empty, total, self.empty),
            ]
        )
        shares = {"cut_share": cut / total, "empty_share": empty / total} if total else {}
        return self.finding(verdict, reason, **shares)


def visible(text: str) -> bool:
    """Whether there is anything to see: joiners, marks of direction and white space are nothing."""
    return any(char.isprintable() and not char.isspace() for char in text)
