"""Labels that seem wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sevenfold.prepare.audits import Audit
from sevenfold.prepare.labels.suspects import findings, suspects, text_of
from sevenfold.prepare.naming import REPLY, needed_value
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors

if TYPE_CHECKING:
    from sevenfold.findings import Findings
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.prepare.work import Work


class LabelIssues(Audit):
    """Rows of all splits whose label is most likely wrong, by confident learning (Northcutt et al. 2021).

    A classifier on vectors is trained on four fifths of the rows and asked about the rest, five times.
    """

    main = "column"
    column: str = Field(REPLY, description="The column of the label, or reply: the last reply.")
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=lambda: VECTORS.find("e5")(), description="What the classifier sees of a text."
    )

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """List the suspects; memory grows with the rows (texts, and 4 bytes for each figure of a vector)."""
        rows = [row for split in dataset.counts for row in dataset.rows(split)]
        with work.console.task("looking for wrong labels (rows)", len(rows)) as task:
            labels = [needed_value(row, self.column) for row in rows]
            found = suspects([text_of(row) for row in rows], labels, self.vectors, work.seed, "prepare.audits")
            task.advance(len(rows))
        return findings(found, rows, "")
