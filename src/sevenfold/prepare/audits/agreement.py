"""How far annotators agree."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.agreement import Ratings, alpha, cohen, fleiss, percent
from sevenfold.errors import DataError
from sevenfold.findings import Findings, Table
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.labels.suspects import TEXT, text_of

if TYPE_CHECKING:
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.prepare.work import Work

DISPUTED = 30
WEAK = 0.667
"""Below this alpha, Krippendorff (2004, p. 241) calls labels no ground for conclusions."""


class Agreement(Audit):
    """How far several annotators say the same: percent, Cohen's, Fleiss' and Krippendorff's coefficients."""

    main = "columns"
    columns: list[str] = Field(min_length=2, description="A column for each annotator; an empty cell: no answer.")

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Compare the columns; the answers stay in memory, 8 bytes each."""
        rows = [row for split in dataset.counts for row in dataset.rows(split)]
        self.check(rows)
        ratings = [[row.fields.get(name, "").strip() or None for name in self.columns] for row in rows]
        compared = [row for row in ratings if sum(one is not None for one in row) > 1]
        share, (kappa, kappa_rows), coefficient = percent(ratings), fleiss(ratings), alpha(ratings)
        figures = {
            "rows_compared": len(compared),
            "percent": rounded(share),
            "fleiss_kappa": rounded(kappa),
            "fleiss_rows": kappa_rows,
            "krippendorff_alpha": rounded(coefficient),
        }
        said = f"On {len(compared):,} rows with two answers or more, annotators agree in {share or 0:.1%} of the pairs"
        said += f"; Krippendorff's alpha is {coefficient:.2f}." if coefficient is not None else "."
        weak = coefficient is not None and coefficient < WEAK
        advice = ["Agreement is weak: make the instructions clearer before more is labelled."] if weak else []
        tables = [self.pairs(ratings), by_label(ratings), self.by_annotator(ratings), disputed(rows, ratings)]
        return Findings("Agreement of annotators", said, figures, tables, advice=advice)

    def check(self, rows: list[Row]) -> None:
        """Refuse columns that no row has."""
        known = {name for row in rows for name in row.fields}
        for name in self.columns:
            if name not in known:
                raise DataError(
                    f"there is no column {name!r}",
                    where="prepare.audits.agreement",
                    value=name,
                    alternatives=sorted(known),
                    next_step="keep the annotators' columns: prepare.keep",
                )

    def pairs(self, ratings: Ratings) -> Table:
        """Cohen's kappa of each two."""
        lines = []
        for one, other in combinations(range(len(self.columns)), 2):
            kappa, count = cohen([row[one] for row in ratings], [row[other] for row in ratings])
            lines.append((self.columns[one], self.columns[other], shown(kappa), count))
        return Table("Each two", ("annotator", "other", "Cohen's kappa", "rows"), lines)

    def by_annotator(self, ratings: Ratings) -> Table:
        """How often each says what another says of the same row."""
        lines = []
        for number, name in enumerate(self.columns):
            same = [
                row[number] == other
                for row in ratings
                for place, other in enumerate(row)
                if place != number and row[number] is not None and other is not None
            ]
            answered = sum(row[number] is not None for row in ratings)
            lines.append((name, answered, shown(sum(same) / len(same) if same else None)))
        return Table("Each annotator", ("annotator", "answers", "agreement with the others"), lines)


def by_label(ratings: Ratings) -> Table:
    """Of those who say a label, how many of the others say it too."""
    said: Counter[str] = Counter()
    same: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for row in ratings:
        counts = Counter(one for one in row if one is not None)
        for label, count in counts.items():
            said[label] += count
            same[label] += count * (count - 1)
            others[label] += count * (counts.total() - 1)
    lines = [
        (label, said[label], shown(same[label] / others[label] if others[label] else None)) for label in sorted(said)
    ]
    return Table("Each label", ("label", "answers", "agreement on it"), lines)


def disputed(rows: list[Row], ratings: Ratings) -> Table:
    """The rows with most pairs of different answers."""
    shares = [(percent([row]), number) for number, row in enumerate(ratings)]
    worst = sorted((share, number) for share, number in shares if share is not None and share < 1)[:DISPUTED]
    lines = [
        (rows[number].origin, ", ".join(one or "-" for one in ratings[number]), text_of(rows[number])[:TEXT])
        for _, number in worst
    ]
    return Table("Most disputed rows", ("row", "answers", "text"), lines)


def rounded(value: float | None) -> float | None:
    """Four places."""
    return None if value is None else round(value, 4)


def shown(value: float | None) -> str:
    """A coefficient in a table."""
    return "undefined" if value is None else f"{value:.3f}"
