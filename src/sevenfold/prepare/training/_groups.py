"""The training rows by label or by the value of a column, and how many of each are asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Literal

from sevenfold.errors import DataError
from sevenfold.findings import Chart, Findings, Table
from sevenfold.prepare.naming import needed_value
from sevenfold.prepare.shelf import Shelf


def groups_of(shelf: Shelf, by: str) -> dict[str, list[int]]:
    """The numbers of the rows of each label, 8 bytes a row; labels in the order of their names."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(shelf):
        found[needed_value(row, by)].append(number)
    return dict(sorted(found.items()))


def named(to: Mapping[str, int], counts: Mapping[str, int], where: str) -> dict[str, int]:
    """The numbers that a recipe gives by label.

    Raises:
        DataError: A label is none of those that there are.
    """
    for label in to:
        if label not in counts:
            raise DataError(
                f"no training row has the label {label!r}", where=where, value=label, alternatives=list(counts)
            )
    return dict(to)


def findings(kind: Literal["over", "under"], before: Mapping[str, int], after: Mapping[str, int]) -> Findings:
    """What became of each label's rows, with both pictures."""
    changed = sum(abs(after[label] - count) for label, count in before.items())
    verb = "copied" if kind == "over" else "left out"
    found = Findings(
        f"Balance of labels by {kind}-sampling",
        f"{changed:,} training rows were {verb}: the commonest label had {skew(before):.1f} times the rows of the "
        f"rarest, and has {skew(after):.1f} times now.",
        {"rows_changed": changed, "skew_before": round(skew(before), 3), "skew_after": round(skew(after), 3)},
        [Table("Rows of each label", ("label", "before", "after"), [(one, before[one], after[one]) for one in before])],
        [
            Chart("bars", f"training rows {when}", list(counts), list(counts.values()), says)
            for when, counts, says in (
                ("before", before, "Bars of very different height: a model learns the tall ones and forgets the rest."),
                ("after", after, "The bars should be nearer to each other now."),
            )
        ],
    )
    if kind == "over" and (most := max(after[one] / before[one] for one in before)) > 10:
        found.advice.append(
            f"Some rows stand {most:.0f} times in the training set: it learns them by heart. Collect or augment more "
            "rows of that label, or weigh it in the loss (objective: {classify: {weights: balanced}})."
        )
    if kind == "under" and sum(after.values()) < sum(before.values()) / 2:
        found.advice.append(
            "More than half of the rows were left out. Compare with over-sampling or weights, which lose nothing."
        )
    return found


def skew(counts: Mapping[str, int]) -> float:
    """The commonest label's rows for one of the rarest."""
    return max(counts.values()) / max(1, min(counts.values()))
