"""Alerts in a file, one JSON object a line."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sevenfold.disk import machine_error
from sevenfold.monitor.alerts import Alert, Event
from sevenfold.record import Entry


class JsonLines(Alert):
    """Append it to a file of the run."""

    main: ClassVar[str | None] = "path"

    path: str = Field("alerts.jsonl", description="The file, relative to the run's folder.")

    def tell(self, event: Event, entry: Entry) -> None:
        """Tell one event."""
        path = entry.folder.parent / self.path
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(event.model_dump_json() + "\n")
        except OSError as error:
            raise machine_error(error, path) from error
