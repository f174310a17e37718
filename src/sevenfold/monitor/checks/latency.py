"""Slow answers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.monitor.baseline import Baseline
from sevenfold.monitor.checks import Check, Finding, worst
from sevenfold.monitor.metrics import quantiles
from sevenfold.monitor.window import Window


class Latency(Check):
    """Whether too many answers are slow, as a whole or to their first token.

    Failed requests are left out: they are often quick and would hide slow answers.
    """

    main: ClassVar[str | None] = "seconds"
    gives: ClassVar[tuple[str, ...]] = ("p50", "p95", "p99", "first_token_p95", "slow_share", "slow_start_share")

    seconds: float = Field(
        60, gt=0, description="An answer that takes longer is slow, seconds; many proxies give up after 60."
    )
    first_token: float = Field(
        10, gt=0, description="An answer that begins later is slow, seconds; after about 10 a reader turns away."
    )
    share: float = Field(
        0.05, ge=0, lt=1, description="Share of slow answers that is allowed; 0.05 puts the limit on the 95th centile."
    )

    def judge(self, window: Window, baseline: Baseline) -> Finding:
        """Look at a window."""
        answered = window.answered
        whole = [exchange.seconds for exchange in answered]
        starts = [exchange.first_token_seconds for exchange in answered if exchange.first_token_seconds is not None]
        slow, late = sum(value > self.seconds for value in whole), sum(value > self.first_token for value in starts)
        parts = [self.judge_share(f"answers took over {self.seconds:g} s", slow, len(whole), self.share)]
        if starts:
            parts.append(self.judge_share(f"answers began after {self.first_token:g} s", late, len(starts), self.share))
        verdict, reason = worst(parts)
        figures = quantiles(whole)
        return self.finding(
            verdict,
            reason,
            **figures,
            first_token_p95=quantiles(starts)["p95"],
            slow_share=slow / len(whole) if whole else None,
            slow_start_share=late / len(starts) if starts else None,
        )
