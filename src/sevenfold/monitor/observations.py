"""Observations: what monitoring saw in the newest windows of traffic."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from sevenfold.monitor.alerts import Event
from sevenfold.monitor.checks import Finding
from sevenfold.monitor.metrics import Metrics
from sevenfold.record import Result


class Observed(BaseModel):
    """One window.

    Args:
        start: When its first request came, seconds since 1970.
        end: When its last answer was done, seconds since 1970.
        metrics: Its figures.
        findings: What each check found, in the order of the recipe.
    """

    start: float
    end: float
    metrics: Metrics
    findings: list[Finding]

    def finding(self, check: str) -> Finding:
        """What a check found."""
        return next(finding for finding in self.findings if finding.check == check)


class Observations(Result):
    """What monitoring gives; ``result.json`` has these keys, and the report's plots read them there."""

    requests: int
    """Requests in the store."""
    imported: int
    """Requests that came from the smoke test's file in this run of the stage."""
    deleted_by_age: int
    """Requests that retention deleted in this run because of their age."""
    deleted_by_count: int
    """Requests that retention deleted in this run because there were too many."""
    training_prompts: int
    """Prompts of the training split."""
    compared_prompts: int
    """How many of them traffic is compared with."""
    calibrations: dict[str, dict[str, Any]]
    """Check to what it measured on the training prompts: the drift check's false alarms."""
    windows: list[Observed]
    """The newest windows, oldest first; empty when there is no traffic."""
    firing: list[str]
    """The rules that hold now."""
    events: list[Event]
    """What channels were told in this run."""
    untold: list[str]
    """What could not be told, with the reason; it is tried again."""
