"""The bias audit: are groups of rows treated alike?"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.findings import Chart, Findings
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.audits._attributes import OWN
from sevenfold.prepare.audits._columns import check
from sevenfold.prepare.audits._groups import Mentions, Tally, label_tests, rate_table, size_table
from sevenfold.prepare.audits._sample import Sample
from sevenfold.prepare.audits._tests import p_text
from sevenfold.prepare.dataset import Dataset
from sevenfold.prepare.work import Work
from sevenfold.record import file_digest

FOUR_FIFTHS = 0.8
"""Ratio of the lowest to the highest rate below which selection is called adverse (29 CFR 1607.4 D)."""
UNLIKELY = 0.05
LIMITS = (
    "It cannot be concluded from these counts that a model will be fair or unfair: a difference may be true of the "
    "world, come from how the rows were collected, or be chance; people who are in no row are in no count; and "
    "words that name a group are not the people."
)


class Groups(Audit):
    """The bias audit: rows, label rates, lengths, harmful text and personal data by group, and who is mentioned.

    Each label's share in each group has its Wilson interval. The disparity ratio is the lowest group's share for one
    of the highest; below 0.8, the four-fifths rule of United States employment law, it is pointed at, with a chi-square
    test corrected for the number of labels (Holm). Mentions are words from a list of protected attributes in English
    and Persian; `words` names a list of your own.
    """

    main = "column"
    column: str | None = Field(None, description="The column that says the group; not given: mentions alone.")
    label: str | None = Field(None, description="The column of labels whose rates are compared; not given: none are.")
    least: int = Field(30, ge=1, description="Rows of a group below which its rates are not compared.")
    words: str | None = Field(
        None, description="A list in place of ours: a file with attribute, tab, group, tab, word a line."
    )
    rows: int | None = Field(50_000, ge=1, description="Rows that are looked at, evenly spaced; null: all.")

    def fingerprints(self) -> dict[str, str]:
        """The list of yours.

        Raises:
            DataError: It is not there.
        """
        if self.words is None:
            return {}
        path = self.list_of_words()
        if not path.is_file():
            raise DataError(f"there is no list of words {self.words!r}", where=self.words, next_step="check the path")
        return {str(path): file_digest(path)}

    def list_of_words(self) -> Path:
        """The list that is used."""
        return Path(self.words).expanduser() if self.words else OWN

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Count by group.

        Raises:
            DataError: No row has a column that is named.
        """
        sample = Sample(dataset, self.rows)
        check([name for name in (self.column, self.label) if name], sample)
        tally, mentions = Tally(), Mentions(self.list_of_words())
        with work.console.task("groups (rows)", sample.size) as task:
            for _, row in sample:
                group = row.fields.get(self.column, "") if self.column else ""
                label = row.fields.get(self.label, "") if self.label else ""
                harmful = tally.add(row, group or "(none)", label or "(none)")
                mentions.add(row, label or "(none)", harmful)
                task.advance(1)
        return self.findings(sample, tally, mentions)

    def findings(self, sample: Sample, tally: Tally, mentions: Mentions) -> Findings:
        """What was found, in words."""
        found = Findings("Groups", f"Of {sample.said()}: ", {"rows": sample.size})
        if self.column:
            self.compare(found, tally)
        else:
            found.said += "no column of groups is named, so that only mentions are counted; "
        found.figures["mentions"] = mentions.figures()
        found.said += mentions.said()
        found.tables += mentions.tables(bool(self.label))
        found.advice.append(LIMITS)
        return found

    def compare(self, found: Findings, tally: Tally) -> None:
        """Add sizes and label rates by group."""
        sizes = tally.rows
        found.figures["groups"] = tally.figures()
        found.tables.append(size_table(str(self.column), tally))
        names = [name for name, _ in sizes.most_common(15)]
        says = "A group with few rows is learnt and measured worse than others."
        found.charts.append(Chart("bars", f"rows by {self.column}", names, [float(sizes[n]) for n in names], says))
        found.said += f"{len(sizes)} groups by {self.column}, {min(sizes.values()):,} to {max(sizes.values()):,} rows; "
        small = [name for name, count in sizes.items() if count < self.least]
        if small:
            found.advice.append(
                f"{len(small)} groups have fewer than {self.least} rows ({', '.join(small[:5])}): too few to compare; "
                "collect more before you judge how they are treated."
            )
        if self.label:
            self.compare_labels(found, tally)

    def compare_labels(self, found: Findings, tally: Tally) -> None:
        """Add what the labels' rates say."""
        tests = label_tests(tally, self.least)
        found.figures["labels"] = [test.figures() for test in tests]
        found.tables.append(rate_table(str(self.column), str(self.label), tally, tests))
        adverse = [test for test in tests if test.ratio < FOUR_FIFTHS and (test.corrected or 1.0) < UNLIKELY]
        found.said += f"{len(adverse)} of {len(tests)} labels have clearly other rates in some group; " if tests else ""
        for test in adverse:
            found.advice.append(
                f"{self.label} {test.label}: the rate in {test.lowest} is {test.ratio:.2f} of that in {test.highest} "
                f"(below 0.8, p {p_text(test.corrected)} corrected): find out whether the labels or the collection "
                "made the difference before a model learns it."
            )
