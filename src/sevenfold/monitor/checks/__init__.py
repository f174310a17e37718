"""Checks of a window of traffic: figures, a verdict, and the reason in a sentence. One file each."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from sevenfold.monitor.baseline import Baseline
from sevenfold.monitor.shares import ALPHA, chance_of, needed
from sevenfold.monitor.window import Window
from sevenfold.registry import Registry
from sevenfold.schema import Component

Verdict = Literal["ok", "alarm", "unknown"]


class Finding(BaseModel):
    """What a check found in a window.

    Args:
        check: The check's name.
        verdict: ``ok``, ``alarm``, or ``unknown`` when there is too little to judge.
        figures: Name to value; None where it could not be measured. ``alarm`` is 1, 0 or None.
        reason: Why, in a sentence.
    """

    check: str
    verdict: Verdict
    figures: dict[str, float | None]
    reason: str


class Check(Component):
    """Judges a window of traffic."""

    gives: ClassVar[tuple[str, ...]]
    """The names of its figures, which the alert rules can watch besides ``alarm``."""

    @property
    def name(self) -> str:
        """Its name in the recipe and in the rules."""
        return CHECKS.name_of(self)

    def judge(self, window: Window, baseline: Baseline) -> Finding:
        """Look at a window.

        Args:
            window: The requests.
            baseline: What was asked in training.
        """
        raise NotImplementedError

    def calibrate(self, baseline: Baseline) -> dict[str, Any]:
        """What the check measures once on the training prompts, kept in ``baseline.json``; nothing by default."""
        return {}

    def finding(self, verdict: Verdict, reason: str, **figures: float | None) -> Finding:
        """A finding of this check; figures that are not named are None."""
        alarm = {"ok": 0.0, "alarm": 1.0, "unknown": None}[verdict]
        named: dict[str, float | None] = dict.fromkeys(self.gives)
        return Finding(check=self.name, verdict=verdict, figures={"alarm": alarm, **named, **figures}, reason=reason)

    def judge_share(self, what: str, bad: int, total: int, allowed: float) -> tuple[Verdict, str]:
        """The verdict on a share of bad requests, by an exact binomial test.

        Args:
            what: What a bad one is, for the reason: ``answers are empty``.
            bad: Bad requests.
            total: All requests.
            allowed: The share that is allowed.
        """
        least = needed(allowed)
        if total < least:
            return "unknown", f"{total} answers; {least} are needed to judge whether {what}"
        chance = chance_of(bad, total, allowed)
        text = f"{bad} of {total} {what} ({bad / total:.1%}, allowed {allowed:.1%}, p = {chance:.2g})"
        return ("alarm" if chance < ALPHA else "ok"), text


def worst(parts: list[tuple[Verdict, str]]) -> tuple[Verdict, str]:
    """One verdict of several: an alarm if any is one, unknown if any is; the reasons that decide, joined."""
    verdicts = [verdict for verdict, _ in parts]
    order: tuple[Verdict, ...] = ("alarm", "unknown", "ok")
    verdict = next(verdict for verdict in order if verdict in verdicts)
    return verdict, "; ".join(reason for own, reason in parts if own == verdict)


CHECKS = Registry(__name__, Check)
