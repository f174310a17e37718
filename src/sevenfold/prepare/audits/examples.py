"""Rows that a person should read."""

from __future__ import annotations

import math
from collections import Counter

from pydantic import Field

from sevenfold.findings import Findings, Table
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.audits._sample import Sample, reply_of, short, text_of
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.work import Work

LONGEST = 700
"""Characters of a row that are shown."""
ENOUGH = 5
"""Words below which it means nothing that a row's words are rare."""


class Examples(Audit):
    """The shortest, the longest and the most unusual rows, and some as they come: ten minutes of reading.

    Unusual is a row whose words are rare among the rows that are looked at: the mean of the negative logarithms of
    their shares. The rows stand in the report as they are; `pii` masks what should not.
    """

    main = "count"
    count: int = Field(3, ge=1, le=50, description="Rows of each kind.")
    rows: int | None = Field(5000, ge=1, description="Rows that are looked at, evenly spaced; null: all.")

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Choose the rows."""
        sample = Sample(dataset, self.rows)
        shares: Counter[str] = Counter()
        rows: list[tuple[str, Row]] = []
        for split, row in sample:
            shares.update(set(words_of(text_of(row))))
            rows.append((split, row))
        chosen = self.chosen(rows, shares)
        lines = [[kind, f"{split}: {row.origin}", written(row)] for kind, (split, row) in chosen]
        origins = {kind: [row.origin for one, (_, row) in chosen if one == kind] for kind, _ in chosen}
        said = f"{len(chosen)} rows that a person should read, chosen among {sample.said()}."
        return Findings("Rows to read", said, {"rows": sample.size, "origins": origins}, [table(lines)])

    def chosen(self, rows: list[tuple[str, Row]], shares: Counter[str]) -> list[tuple[str, tuple[str, Row]]]:
        """Rows of each kind; none stands there twice."""
        kinds = {
            "shortest reply": sorted(rows, key=lambda pair: len(reply_of(pair[1]))),
            "longest reply": sorted(rows, key=lambda pair: -len(reply_of(pair[1]))),
            "most unusual": sorted(rows, key=lambda pair: -rarity(pair[1], shares, len(rows))),
            "as it comes": rows[:: max(1, len(rows) // (4 * self.count))],
        }
        seen: set[str] = set()
        found = []
        for kind, ordered in kinds.items():
            new = [pair for pair in ordered if pair[1].origin not in seen][: self.count]
            seen.update(row.origin for _, row in new)
            found += [(kind, pair) for pair in new]
        return found


def rarity(row: Row, shares: Counter[str], rows: int) -> float:
    """How rare a row's words are, in nats a word."""
    words = words_of(text_of(row))
    if len(words) < ENOUGH:
        return 0.0
    return sum(math.log(rows / shares[word]) for word in words) / len(words)


def written(row: Row) -> str:
    """A row as a person reads it."""
    turns = [f"{message.role}: {short(message.content, LONGEST)}" for message in row.conversation.messages]
    return "\n\n".join([*turns, *(f"{name}: {short(value, 100)}" for name, value in row.fields.items())])


def table(lines: list[list[str]]) -> Table:
    """The rows."""
    return Table("Rows to read", ["why", "where", "what it says"], lines)
