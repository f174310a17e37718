"""Failed requests."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.monitor.baseline import Baseline
from sevenfold.monitor.checks import Check, Finding
from sevenfold.monitor.window import SERVER_ERROR, Window, failed


class Errors(Check):
    """Whether the server fails too often.

    A request that the server refused with reason (a status from 400 to 499) is counted apart: it says something about
    the caller, not about the service.
    """

    main: ClassVar[str | None] = "share"
    gives: ClassVar[tuple[str, ...]] = ("share", "refused_share", "errors", "refused")

    share: float = Field(
        0.01, ge=0, lt=1, description="Share of failed requests that is allowed; 0.01 is a service of 99 %."
    )

    def judge(self, window: Window, baseline: Baseline) -> Finding:
        """Look at a window."""
        total = len(window.exchanges)
        bad = [exchange for exchange in window.exchanges if failed(exchange)]
        refused = sum(400 <= exchange.status < SERVER_ERROR for exchange in bad)
        errors = len(bad) - refused
        verdict, reason = self.judge_share("requests failed", errors, total, self.share)
        return self.finding(
            verdict,
            reason,
            share=errors / total,
            refused_share=refused / total,
            errors=float(errors),
            refused=float(refused),
        )
