"""The other columns of rows, read without the rows' texts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from sevenfold.errors import DataError
from sevenfold.prepare.audits._sample import Sample
from sevenfold.prepare.dataset import DESIRABLE, REJECTED, SPLITS
from sevenfold.prepare.shelf import batches

MOST_VALUES = 50
"""Different values up to which a column counts as a label."""
LONGEST = 60
"""Characters up to which a value can be a label."""


def fields_of(sample: Sample) -> Iterator[tuple[str, dict[str, str]]]:
    """Split and columns of every row that is looked at."""
    for split in SPLITS:
        rows, count = sample.dataset.counts.get(split, 0), sample.count(split)
        if not count:
            continue
        step, place, wanted = rows / count, 0, 0.0
        for batch in batches(sample.dataset.path(split)):
            fields = batch.column(batch.schema.get_field_index("fields"))
            while wanted < place + batch.num_rows:
                yield split, json.loads(fields[int(wanted) - place].as_py())
                wanted += step
            place += batch.num_rows


def labels_of(sample: Sample) -> list[str]:
    """The columns that look like labels: two values at least, short and few, and not all different."""
    values: dict[str, Counter[str]] = {}
    unfit = {REJECTED}
    for _, fields in fields_of(sample):
        for name in fields.keys() - unfit:
            counts = values.setdefault(name, Counter())
            counts[fields[name]] += 1
            if len(counts) > MOST_VALUES or len(fields[name]) > LONGEST:
                unfit.add(name)
                del values[name]
    return [
        name
        for name, counts in values.items()
        if len(counts) > 1 and (name == DESIRABLE or counts.total() > 2 * len(counts))
    ]


def check(names: list[str], sample: Sample) -> None:
    """Refuse a column that no row has.

    Raises:
        DataError: Its name, and the columns that there are.
    """
    known = {name for _, fields in fields_of(sample) for name in fields}
    for name in names:
        if name not in known:
            raise DataError(
                f"no row has a column {name!r}",
                value=name,
                where="prepare.audits",
                alternatives=sorted(known),
                next_step="correct the name, or keep the column with prepare.keep",
            )
