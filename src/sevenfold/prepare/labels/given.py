"""The labels that rows get as they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sevenfold.prepare.sources import RawRow

UNLABELLED = "unlabelled"
BY = "labelled_by"
"""The column that says who gave a row its label: people, functions or model; empty: it came with the row."""


@dataclass
class Given:
    """Labels by the rows' origins, about 200 bytes a row.

    Args:
        column: The column that gets them, by its name in the source.
        labels: Origin to label and who gave it.
        findings: How it went, as ``report.json`` holds it.
    """

    column: str
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def give(self, raw: RawRow) -> RawRow | None:
        """A row with its label among its columns; None where it has none."""
        found = self.labels.get(raw.origin)
        return RawRow({**raw.values, self.column: found[0], BY: found[1]}, raw.origin) if found else None
