"""Where alerts go: one file each. A channel is told once when a rule begins to hold and once when it ends."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from sevenfold.record import Entry
from sevenfold.registry import Registry
from sevenfold.schema import Component


class Event(BaseModel):
    """What a channel is told.

    Args:
        run: The run's name.
        rule: The rule, as text.
        state: ``firing`` when the rule began to hold, ``resolved`` when it ended.
        time: When it was noticed, ISO 8601, UTC.
        value: The figure in the newest window; None when it could not be measured.
        reason: What the check says of the newest window.
    """

    run: str
    rule: str
    state: Literal["firing", "resolved"]
    time: str
    value: float | None
    reason: str

    def __str__(self) -> str:
        return f"{self.state}: {self.rule} ({self.reason})"


class Alert(Component):
    """A way to tell somebody."""

    @property
    def name(self) -> str:
        """Its name in the recipe."""
        return ALERTS.name_of(self)

    def tell(self, event: Event, entry: Entry) -> None:
        """Tell one event.

        Args:
            event: What happened.
            entry: The stage's view of the record; its folder lies in the run's.

        Raises:
            SevenfoldError: It could not be told; it is tried again at the next run of the stage.
        """
        raise NotImplementedError


ALERTS = Registry(__name__, Alert)
