"""Alerts on the terminal and in the run's record."""

from __future__ import annotations

from sevenfold.monitor.alerts import Alert, Event
from sevenfold.record import Entry


class Console(Alert):
    """Print it, and keep it among the stage's notes."""

    def tell(self, event: Event, entry: Entry) -> None:
        """Tell one event."""
        if event.state == "firing":
            entry.warn(str(event))
        else:
            entry.note(str(event))
