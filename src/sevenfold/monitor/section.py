"""The recipe's section ``monitor``."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Self

from pydantic import Field, model_validator

from sevenfold.errors import RecipeError
from sevenfold.monitor.alerts import ALERTS, Alert
from sevenfold.monitor.checks import CHECKS, Check
from sevenfold.monitor.rules import Rule, carried
from sevenfold.schema import Chosen, Section

ChosenCheck = Annotated[Check, Chosen(CHECKS)]
ChosenAlert = Annotated[Alert, Chosen(ALERTS)]


def every_check() -> list[Check]:
    """All checks of the folder, as their defaults are."""
    return [CHECKS.find(name)() for name in CHECKS.names()]


def usual_alerts() -> list[Alert]:
    """The channels that need nothing from outside."""
    return [ALERTS.find(name)() for name in ("console", "jsonl")]


class MonitorSection(Section):
    """Watching the service."""

    checks: list[ChosenCheck] = Field(default_factory=every_check, description="What is looked for in each window.")
    rules: list[Rule] | None = Field(
        None,
        description="When to alert, for example `drift.p_value < 0.01 for 2 windows`; none given: any check's alarm.",
    )
    alerts: list[ChosenAlert] = Field(
        default_factory=usual_alerts, description="Where alerts go; each is told when a rule begins and ends to hold."
    )
    window: int = Field(200, ge=1, description="Requests that are looked at together.")
    windows: int = Field(12, ge=1, description="Newest windows that are looked at.")
    baseline: int = Field(500, ge=2, description="Training prompts that the traffic is compared with, drawn by chance.")
    seed: int = Field(17, ge=0, description="The seed of that draw.")
    keep_rows: int | None = Field(1_000_000, ge=1, description="Newest requests that are kept; null: all.")
    keep_days: float | None = Field(None, gt=0, description="Days for which requests are kept; null: for ever.")

    @model_validator(mode="after")
    def verify(self) -> Self:
        """Refuse rules that no check can meet, and a check or channel that stands twice."""
        for part, items in (("checks", self.checks), ("alerts", self.alerts)):
            twice = [name for name, times in Counter(item.name for item in items).items() if times > 1]
            if twice:
                raise carried(RecipeError(f"{part}: {twice[0]!r} stands twice", next_step="keep one of them"))
        for rule in self.rules or []:
            try:
                rule.verify(self.checks)
            except RecipeError as error:
                raise carried(error) from None
        return self

    @property
    def active_rules(self) -> list[Rule]:
        """The rules that count: those given, or one for each check's alarm."""
        if self.rules is not None:
            return self.rules
        return [Rule(check=check.name) for check in self.checks]
