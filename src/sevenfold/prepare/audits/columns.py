"""The columns that are kept with the rows: gaps, constants, types, and what is in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from sevenfold.findings import Findings, Table
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.audits._columns import fields_of
from sevenfold.prepare.audits._sample import Sample, share, short
from sevenfold.prepare.dataset import Dataset
from sevenfold.prepare.work import Work

MOST = 10_000
"""Different values of a column that are counted apart; about 100 bytes each."""
MISSING = frozenset({"", "-", "?", "na", "n/a", "nan", "none", "null", "nil", "#n/a", "نامشخص"})
"""What stands for nothing, without case."""
FAR = 10
"""How many times the median length a value is too long by."""


class Columns(Audit):
    """Missing values, columns that always say the same, types, odd lengths and the most frequent values."""

    main = "rows"
    rows: int | None = Field(20_000, ge=1, description="Rows that are looked at, evenly spaced; null: all.")

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Look at every column."""
        sample = Sample(dataset, self.rows)
        columns: dict[str, Column] = {}
        rows = 0
        for _, fields in fields_of(sample):
            rows += 1
            for name, value in fields.items():
                columns.setdefault(name, Column()).add(value)
        figures = {name: column.figures(rows) for name, column in columns.items()}
        found = Findings("Columns", said(figures, sample), {"rows": rows, "columns": figures})
        if columns:
            lines = [column.line(name, rows) for name, column in columns.items()]
            head = ["column", "type", "missing", "different values", "most frequent", "longest, characters"]
            found.tables.append(Table("Columns beside the text", head, lines))
        found.advice = [sentence for name, column in columns.items() for sentence in column.advice(name, rows)]
        return found


@dataclass
class Column:
    """What is known of a column's values."""

    count: int = 0
    missing: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    many: bool = False

    def add(self, value: str) -> None:
        """Count a value."""
        self.count += 1
        if value.strip().casefold() in MISSING:
            self.missing += 1
            return
        self.types[type_of(value)] += 1
        self.lengths[len(value)] += 1
        if value in self.values or len(self.values) < MOST:
            self.values[value] += 1
        else:
            self.many = True

    def absent(self, rows: int) -> int:
        """Rows without a value: the column is not there, or says nothing."""
        return rows - self.count + self.missing

    @property
    def constant(self) -> bool:
        """Whether all values are the same."""
        return len(self.values) == 1 and self.values.total() > 1

    @property
    def type(self) -> str:
        """The type of the values, or the two most frequent."""
        return " and ".join(name for name, _ in self.types.most_common(2)) or "nothing"

    @property
    def odd(self) -> int:
        """Values more than :data:`FAR` times as long as the median one, and over 100 characters."""
        median = middle(self.lengths)
        return sum(count for length, count in self.lengths.items() if length > max(100, FAR * median))

    def figures(self, rows: int) -> dict[str, Any]:
        """The figures."""
        return {
            "missing": self.absent(rows),
            "constant": self.constant,
            "types": dict(self.types.most_common()),
            "different": len(self.values),
            "different_at_least": self.many,
            "odd_lengths": self.odd,
            "longest_characters": max(self.lengths, default=0),
            "frequent": {short(value, 100): count for value, count in self.values.most_common(5)},
        }

    def line(self, name: str, rows: int) -> list[str | int | float]:
        """The table's line."""
        frequent = "\n".join(f"{short(value, 40)}: {count:,}" for value, count in self.values.most_common(3))
        absent = self.absent(rows)
        different = f"{len(self.values):,}{' or more' if self.many else ''}"
        return [
            name,
            self.type,
            f"{absent:,} ({share(absent, rows)})",
            different,
            frequent,
            max(self.lengths, default=0),
        ]

    def advice(self, name: str, rows: int) -> list[str]:
        """What to do about the column."""
        said, absent = [], self.absent(rows)
        if absent:
            said.append(
                f"{name} is missing in {share(absent, rows)} of the rows: fill or drop them with the step missing."
            )
        if self.constant:
            said.append(f"{name} always says {short(next(iter(self.values)), 40)!r}: it tells rows apart in nothing.")
        if len(self.types) > 1 and self.types.most_common()[-1][1] < 0.1 * self.types.total():
            rest = ", ".join(f"{count:,} {kind}" for kind, count in self.types.most_common()[1:])
            said.append(f"{name} is mostly {self.types.most_common(1)[0][0]}, but has {rest}: a mistake in the export?")
        if self.odd:
            said.append(f"{name}: {self.odd:,} values are far longer than the others; are they in the right column?")
        return said


def type_of(value: str) -> str:
    """What a text stands for: number, date, yes or no, or text."""
    plain = value.strip()
    if plain.casefold() in {"true", "false", "yes", "no"}:
        return "yes or no"
    try:
        float(plain)
    except ValueError:
        parts = plain[:10].replace("/", "-").split("-")
        date = len(parts) == 3 and all(part.isdigit() for part in parts) and {len(p) for p in parts} <= {1, 2, 4}
        return "date" if date else "text"
    return "number"


def middle(lengths: Counter[int]) -> int:
    """The median of counted lengths."""
    half, seen = lengths.total() / 2, 0
    for length in sorted(lengths):
        seen += lengths[length]
        if seen >= half:
            return length
    return 0


def said(figures: dict[str, dict[str, Any]], sample: Sample) -> str:
    """One sentence."""
    if not figures:
        return "No other column is kept with the rows."
    gaps = [f"{name} ({one['missing']:,})" for name, one in figures.items() if one["missing"]]
    constant = [name for name, one in figures.items() if one["constant"]]
    parts = [f"{len(figures)} columns beside the text" if len(figures) > 1 else "one column beside the text"]
    parts.append(f"values are missing in {', '.join(gaps)}" if gaps else "no value is missing")
    if constant:
        parts.append(f"always the same in {', '.join(constant)}")
    return f"Of {sample.said()}: {'; '.join(parts)}."
