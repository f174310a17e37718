"""What is known of a variant so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sevenfold.compare.process import Failure
from sevenfold.compare.search import Choice
from sevenfold.compare.variants import Variant


@dataclass
class State:
    """A variant and what is known of it so far.

    Args:
        variant: Which one.
        plan: What it needs; None until it is planned.
        choice: What its search chose.
        figures: What its run came to.
        failure: Why there are none.
    """

    variant: Variant
    plan: dict[str, Any] | None = None
    choice: Choice | None = None
    figures: dict[str, Any] | None = None
    failure: Failure | None = None

    @property
    def state(self) -> str:
        """``done``, ``failed`` or ``waiting``."""
        return "done" if self.figures else "failed" if self.failure else "waiting"
