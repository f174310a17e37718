"""Counts by group for the bias audit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sevenfold.findings import Table
from sevenfold.guard.words import plain
from sevenfold.prepare.audits._attributes import patterns
from sevenfold.prepare.audits._sample import Lines, share, text_of
from sevenfold.prepare.audits._tests import differing, holm, p_text, wilson
from sevenfold.prepare.clean.harmful import Harmful
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.pii import default_detectors, search

SHOWN = 20
"""Groups and labels of a table."""


class Tally:
    """Rows, characters, labels, harmful words and personal data by group."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.characters: Counter[str] = Counter()
        self.labels: Counter[tuple[str, str]] = Counter()
        self.harmful: Counter[str] = Counter()
        self.personal: Counter[str] = Counter()
        self.lists = list(Harmful().lists())
        self.detectors = default_detectors()

    def add(self, row: Row, group: str, label: str) -> bool:
        """Count a row; gives whether it has words of the lists of harmful text."""
        text = text_of(row)
        folded = plain(text)
        harmful = any(pattern.search(folded) for _, pattern in self.lists)
        self.rows[group] += 1
        self.characters[group] += len(text)
        self.labels[group, label] += 1
        self.harmful[group] += harmful
        self.personal[group] += bool(search(text, self.detectors))
        return harmful

    def figures(self) -> dict[str, dict[str, Any]]:
        """Figures by group."""
        return {
            group: {
                "rows": count,
                "characters_mean": round(self.characters[group] / count, 1),
                "harmful_rows": self.harmful[group],
                "personal_rows": self.personal[group],
            }
            for group, count in self.rows.most_common()
        }


@dataclass(frozen=True)
class LabelTest:
    """How a label's rate differs between groups.

    Args:
        label: The label.
        lowest: The group with the lowest rate.
        highest: The one with the highest.
        ratio: Lowest for one of highest.
        chance: p-value of the chi-square test.
        corrected: The same, corrected for the number of labels.
    """

    label: str
    lowest: str
    highest: str
    ratio: float
    chance: float | None
    corrected: float | None

    def figures(self) -> dict[str, Any]:
        """The figures."""
        return {
            "label": self.label,
            "lowest": self.lowest,
            "highest": self.highest,
            "disparity_ratio": round(self.ratio, 4),
            "p": self.chance,
            "p_corrected": self.corrected,
        }


def label_tests(tally: Tally, least: int) -> list[LabelTest]:
    """A test for each label over the groups with enough rows; none where fewer than two have."""
    groups = [group for group, count in tally.rows.items() if count >= least]
    labels = list(dict.fromkeys(label for _, label in tally.labels))
    if len(groups) < 2:
        return []
    tests = []
    for label in labels:
        rates = {group: tally.labels[group, label] / tally.rows[group] for group in groups}
        table = [[tally.labels[group, label], tally.rows[group] - tally.labels[group, label]] for group in groups]
        lowest, highest = min(groups, key=lambda group: rates[group]), max(groups, key=lambda group: rates[group])
        ratio = rates[lowest] / rates[highest] if rates[highest] else 1.0
        tests.append((label, lowest, highest, ratio, differing(table)))
    corrected = holm([test[-1] for test in tests])
    return [LabelTest(*test, better) for test, better in zip(tests, corrected, strict=True)]


def size_table(column: str, tally: Tally) -> Table:
    """Sizes, lengths and findings by group."""
    head = [column, "rows", "characters, mean", "with harmful words", "with personal data"]
    lines: Lines = [
        [
            group,
            count,
            round(tally.characters[group] / count),
            f"{tally.harmful[group]:,} ({share(tally.harmful[group], count)})",
            f"{tally.personal[group]:,} ({share(tally.personal[group], count)})",
        ]
        for group, count in tally.rows.most_common(SHOWN)
    ]
    return Table(f"Rows by {column}", head, lines)


def rate_table(column: str, label: str, tally: Tally, tests: list[LabelTest]) -> Table:
    """Each label's rate in each group with its interval."""
    by_label = {test.label: test for test in tests}
    lines: Lines = []
    for (group, name), count in sorted(tally.labels.items(), key=lambda item: (item[0][1], -item[1])):
        whole, test = tally.rows[group], by_label.get(name)
        low, high = wilson(count, whole)
        said = f"ratio {test.ratio:.2f}, p {p_text(test.corrected)}" if test else "–"
        lines.append([name, group, count, f"{share(count, whole)} ({low:.1%} to {high:.1%})", said])
    head = [label, column, "rows", "share of the group (95 % interval)", "lowest to highest group"]
    return Table(f"Rates of {label} by {column}", head, lines[: SHOWN * SHOWN])


@dataclass
class Mentions:
    """Rows that mention a group of a protected attribute, with what stands beside it."""

    path: Path
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    harmful: Counter[tuple[str, str]] = field(default_factory=Counter)
    labels: Counter[tuple[tuple[str, str], str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.patterns = patterns(self.path)

    def add(self, row: Row, label: str, harmful: bool) -> None:
        """Count a row."""
        text = plain(text_of(row))
        for key, pattern in self.patterns.items():
            if pattern.search(text):
                self.rows[key] += 1
                self.harmful[key] += harmful
                self.labels[key, label] += 1

    def figures(self) -> dict[str, Any]:
        """Rows by attribute and group."""
        return {
            f"{attribute}: {group}": {"rows": count, "harmful_rows": self.harmful[attribute, group]}
            for (attribute, group), count in self.rows.most_common()
        }

    def said(self) -> str:
        """A sentence's end."""
        if not self.rows:
            return "no row mentions a protected group by the words of the list."
        first = ", ".join(f"{group} ({count:,})" for (_, group), count in self.rows.most_common(4))
        return f"rows mention most often: {first}."

    def tables(self, labelled: bool) -> list[Table]:
        """Mentions, with the labels that stand beside them."""
        if not self.rows:
            return []
        lines: Lines = []
        for key, count in self.rows.most_common(SHOWN):
            line: list[str | int | float] = [*key, count, f"{self.harmful[key]:,} ({share(self.harmful[key], count)})"]
            lines.append([*line, *([self.beside(key, count)] if labelled else [])])
        head = ["attribute", "group", "rows", "with harmful words", *(["labels"] if labelled else [])]
        return [Table("Mentions of protected attributes", head, lines)]

    def beside(self, key: tuple[str, str], whole: int) -> str:
        """The most frequent labels of rows with a mention."""
        counts = Counter({label: count for (mention, label), count in self.labels.items() if mention == key})
        return ", ".join(f"{label} {share(count, whole)}" for label, count in counts.most_common(3))
