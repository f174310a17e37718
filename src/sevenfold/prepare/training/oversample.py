"""Over-sampling: rows of rare labels stand several times."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from sevenfold.findings import Findings
from sevenfold.prepare.naming import REPLY
from sevenfold.prepare.training import Change
from sevenfold.prepare.training._groups import findings, groups_of, named

if TYPE_CHECKING:
    from sevenfold.prepare.dataset import Row
    from sevenfold.prepare.shelf import Shelf
    from sevenfold.prepare.work import Work

Ratio = Annotated[float, Field(gt=0, le=1)]
Rows = Annotated[int, Field(ge=1)]


class Oversample(Change):
    """Rows of rare labels are copied until there are enough of them; no row is lost and none is new.

    Every row of a label is copied once before any is copied again, so that copies differ by one at most. A copy is a
    row of its own, which names what it is a copy of: an optimiser then meets it in as many steps. A weight in the loss
    costs no time and is equal only in the sum over all rows: that is ``weights: balanced`` of the objective
    ``classify``. Numbers of the rows are kept in memory, 8 bytes a row.
    """

    by: str = Field(REPLY, description="The column of the label, or reply: the last reply.")
    to: Literal["majority"] | Ratio | dict[str, Rows] = Field(
        "majority",
        union_mode="left_to_right",
        description="Rows of every label at least: majority, as many as the commonest label has; a share of that, "
        "above 0 to 1; or {label: rows}.",
    )

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """All rows, then the copies."""
        yield from shelf
        groups = groups_of(shelf, self.by)
        before = {label: len(numbers) for label, numbers in groups.items()}
        wanted = self.wanted(before, work.name)
        with work.console.task(f"{work.name} (copies)", sum(wanted.values()) - sum(before.values())) as bar:
            for label, numbers in groups.items():
                draw, missing = work.random(label), wanted[label] - len(numbers)
                while missing > 0:
                    for number in draw.sample(numbers, min(missing, len(numbers))):
                        row = shelf.row(number)
                        yield work.make(row.conversation, [row], row.fields)
                        bar.advance(1)
                    missing -= len(numbers)
        return findings("over", before, wanted)

    def wanted(self, counts: Mapping[str, int], where: str) -> dict[str, int]:
        """How many rows each label gets."""
        if isinstance(self.to, dict):
            asked = named(self.to, counts, f"prepare.training.{where}.to")
        else:
            least = round(max(counts.values(), default=0) * (1.0 if self.to == "majority" else self.to))
            asked = dict.fromkeys(counts, least)
        return {label: max(count, asked.get(label, 0)) for label, count in counts.items()}
