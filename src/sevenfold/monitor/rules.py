"""Alert rules: a figure of a check, a comparison, a limit, and for how many windows in a row. Nothing is evaluated."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from sevenfold.errors import RecipeError
from sevenfold.monitor.checks import Check, Finding
from sevenfold.schema import Strict

COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
RULE = re.compile(r"\s*(\w+)\.(\w+)\s*(<=|>=|<|>)\s*([^\s]+)(?:\s+for\s+(\d+)\s+windows?)?\s*")


class Rule(Strict):
    """When to alert: ``drift.p_value < 0.01 for 2 windows``, or the same as five keys."""

    check: str = Field(description="The check's name; it must be among the section's checks.")
    figure: str = Field("alarm", description="A figure of the check; `alarm` is 1 when the check's verdict is alarm.")
    comparison: Literal["<", "<=", ">", ">="] = Field(">=", description="How the figure is compared with the limit.")
    limit: float = Field(1, allow_inf_nan=False, description="The limit, in the figure's unit.")
    windows: int = Field(1, ge=1, description="The newest windows in which it must hold, every one.")

    @model_validator(mode="before")
    @classmethod
    def from_text(cls, value: Any) -> Any:
        """A rule written as one line."""
        if not isinstance(value, str):
            return value
        found = RULE.fullmatch(value)
        if not found:
            raise carried(
                RecipeError(
                    f"{value!r} is not an alert rule",
                    expected="CHECK.FIGURE COMPARISON LIMIT, perhaps with `for N windows`",
                    next_step="for example: drift.p_value < 0.01 for 2 windows",
                )
            )
        check, figure, comparison, limit, windows = found.groups()
        return {"check": check, "figure": figure, "comparison": comparison, "limit": limit, "windows": windows or 1}

    def __str__(self) -> str:
        more = f" for {self.windows} windows" if self.windows > 1 else ""
        return f"{self.check}.{self.figure} {self.comparison} {self.limit:g}{more}"

    def verify(self, checks: Sequence[Check]) -> None:
        """Refuse a rule that no check can ever meet.

        Args:
            checks: The checks of the section.

        Raises:
            RecipeError: The check is not among ``checks``, or gives no such figure.
        """
        known = {check.name: check for check in checks}
        if self.check not in known:
            raise RecipeError(
                f"the rule {str(self)!r} watches the check {self.check!r}, which is not among the checks",
                value=self.check,
                alternatives=known,
                next_step="add the check to monitor.checks, or change the rule",
            )
        figures = ("alarm", *known[self.check].gives)
        if self.figure not in figures:
            raise RecipeError(
                f"the rule {str(self)!r} watches a figure that the check {self.check!r} does not give",
                value=self.figure,
                alternatives=figures,
            )

    def holds(self, findings: Sequence[Finding]) -> bool:
        """Whether it holds in every one of the newest windows; a figure that could not be measured never holds.

        Args:
            findings: This rule's check's findings, one a window, oldest first.
        """
        newest = findings[-self.windows :]
        values = [finding.figures[self.figure] for finding in newest]
        compare = COMPARE[self.comparison]
        return len(values) == self.windows and all(value is not None and compare(value, self.limit) for value in values)


def carried(error: RecipeError) -> PydanticCustomError:
    """Our own error in a form that pydantic hands on whole."""
    return PydanticCustomError("rule", "{problem}", {"problem": error.problem, "error": error})
