"""How evenly rows spread over labels, and whether the splits agree."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from pydantic import Field

from sevenfold.findings import Chart, Findings, Table
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.audits._columns import check, fields_of, labels_of
from sevenfold.prepare.audits._sample import Lines, Sample, share
from sevenfold.prepare.audits._tests import differing, entropy, p_text
from sevenfold.prepare.dataset import SPLITS, Dataset
from sevenfold.prepare.work import Work

SHOWN = 30
"""Labels of a table."""
UNEVEN = 5
"""Rows of the largest label for one of the smallest, from which the user is told."""
UNLIKELY = 0.01
NONE = "(none)"


class Balance(Audit):
    """Rows by label in each split: how uneven they are, which labels are rare, and whether the splits differ.

    The imbalance is the largest label's rows for one of the smallest; the effective number of labels is
    the exponential of their entropy, which is their number where all are even. A chi-square test says whether the
    splits have other shares than chance would give.
    """

    main = "columns"
    columns: tuple[str, ...] = Field((), description="Columns of labels; none given: all with few, short values.")
    rare: int = Field(20, ge=1, description="Rows below which a label is rare.")
    rows: int | None = Field(100_000, ge=1, description="Rows that are looked at, evenly spaced; null: all.")

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Count every label.

        Raises:
            DataError: No row has a column that is asked for.
        """
        sample = Sample(dataset, self.rows)
        check(list(self.columns), sample)
        chosen = list(self.columns) or labels_of(sample)
        spreads = {name: Spread() for name in chosen}
        for split, fields in fields_of(sample):
            for name, spread in spreads.items():
                spread.counts[fields.get(name) or NONE, split] += 1
        found = Findings("Balance", said(spreads, sample, self.rare), {"rows": sample.size, "columns": {}})
        for name, spread in spreads.items():
            found.figures["columns"][name] = spread.figures(self.rare)
            spread.show(name, found, self.rare)
        return found


@dataclass
class Spread:
    """Rows by label and split."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def labels(self) -> Counter[str]:
        """Rows by label over all splits."""
        found: Counter[str] = Counter()
        for (label, _), count in self.counts.items():
            found[label] += count
        return found

    @property
    def imbalance(self) -> float:
        """Rows of the largest label for one of the smallest."""
        return max(self.labels.values()) / min(self.labels.values())

    def rare(self, least: int) -> list[str]:
        """Labels with fewer rows, the rarest first."""
        return [label for label, count in reversed(self.labels.most_common()) if count < least]

    def sides(self) -> list[str]:
        """The splits that have rows."""
        return [split for split in SPLITS if any(side == split for _, side in self.counts)]

    def differing(self) -> float | None:
        """How likely it is by chance that the splits differ as they do."""
        return differing([[self.counts[label, side] for label in self.labels] for side in self.sides()])

    def agreement(self) -> str:
        """Whether the splits have like shares, in words."""
        chance = self.differing()
        if chance is None:
            return "there is nothing to compare between splits"
        word = "differ more than by chance" if chance < UNLIKELY else "have like shares"
        return f"the splits {word} (p {p_text(chance)})"

    def figures(self, least: int) -> dict[str, object]:
        """The figures."""
        labels = self.labels
        return {
            "labels": len(labels),
            "imbalance_ratio": round(self.imbalance, 3),
            "effective_labels": round(math.exp(entropy(labels.values())), 3),
            "rare": self.rare(least),
            "splits_differ_p": self.differing(),
            "rows_by_label": dict(labels.most_common(SHOWN)),
        }

    def show(self, name: str, found: Findings, least: int) -> None:
        """Add the column's chart, table and advice."""
        labels, sides = self.labels, self.sides()
        shown = labels.most_common(SHOWN)
        wholes = {side: sum(self.counts[label, side] for label in labels) for side in sides}
        lines: Lines = [
            [
                label,
                count,
                *(f"{self.counts[label, side]:,} ({share(self.counts[label, side], wholes[side])})" for side in sides),
            ]
            for label, count in shown
        ]
        found.tables.append(Table(f"Rows by {name}", [name, "rows", *sides], lines))
        says = f"Largest to smallest {self.imbalance:,.1f} : 1; {self.agreement()}."
        names, values = [label for label, _ in shown[:12]], [float(count) for _, count in shown[:12]]
        found.charts.append(Chart("bars", f"rows by {name}", names, values, says))
        found.advice += self.advice(name, least)

    def advice(self, name: str, least: int) -> list[str]:
        """What to do about it."""
        said, rare, chance = [], self.rare(least), self.differing()
        if rare:
            names = ", ".join(rare[:5])
            said.append(
                f"{name}: {len(rare)} values have fewer than {least} rows ({names}): collect more of them, or do not "
                "expect the model to learn them."
            )
        elif self.imbalance >= UNEVEN:
            said.append(
                f"{name}: the largest value has {self.imbalance:,.0f} times the rows of the smallest. Judge by each "
                "value's own figures, not by accuracy; more rows of the rare ones help most."
            )
        if chance is not None and chance < UNLIKELY:
            said.append(
                f"{name}: the splits have other shares than chance gives: through changes of the training rows, or "
                f"for want of split: {{how: {{stratified: {name}}}}}."
            )
        return said


def said(spreads: dict[str, Spread], sample: Sample, rare: int) -> str:
    """One sentence."""
    if not spreads:
        return f"None of the columns that are kept looks like a label, of {sample.said()}."
    parts = [
        f"{name} has {len(spread.labels)} values, largest to smallest {spread.imbalance:,.1f} : 1, "
        f"{len(spread.rare(rare))} rare"
        for name, spread in spreads.items()
    ]
    return f"Of {sample.said()}: {'; '.join(parts)}."
