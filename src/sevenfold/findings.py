"""What a part of the stage has to say of the rows: a sentence, figures, tables, charts and advice, all plain data.

The report shows any findings, also those of a user's own file, without knowing what they are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Table:
    """Lines under heads.

    Args:
        title: What the table is about.
        head: The columns.
        lines: The cells, as text or figures.
    """

    title: str
    head: Sequence[str]
    lines: Sequence[Sequence[str | int | float]]


@dataclass(frozen=True)
class Chart:
    """A picture of some figures.

    Args:
        kind: ``bars``: a bar for each name; ``histogram``: ``names`` are the edges, one more than ``values``;
            ``line``: ``names`` are the places.
        label: What is measured, with its unit.
        names: What each value belongs to.
        values: The values.
        says: What a person should see in it, one sentence.
    """

    kind: Literal["bars", "histogram", "line"]
    label: str
    names: Sequence[str | float]
    values: Sequence[float]
    says: str


@dataclass
class Findings:
    """What was found.

    Args:
        title: A few words, the heading in the report.
        said: One plain sentence for someone who does not code.
        figures: Figures by name, JSON-serialisable; the unit is part of the name.
        tables: For a person.
        charts: For a person.
        advice: What to do next, a sentence each.
    """

    title: str
    said: str
    figures: dict[str, Any] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    def as_json(self, name: str) -> dict[str, Any]:
        """The findings as ``report.json`` holds them, under the name of what found them."""
        return {"name": name, **asdict(self)}
