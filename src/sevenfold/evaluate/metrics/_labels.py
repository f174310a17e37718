"""Rows with one label each, as figures of which said and true labels can be counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sevenfold.errors import DataError
from sevenfold.evaluate.metrics._said import one_label

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


def table_of_labels(answers: Sequence[str], references: Sequence[str]) -> Floats:
    """Whether each row is right; then for each label, sorted, whether the row was said to have it, has it, and both.

    The labels are those that the references have. An answer that names none was said to have none of them.
    """
    import numpy as np

    true = [reference.strip() for reference in references]
    known = {label: number for number, label in enumerate(sorted(set(true)))}
    found = np.zeros((len(true), 1 + 3 * len(known)))
    for row, (answer, own) in enumerate(zip(answers, true, strict=True)):
        said = one_label(answer, known)
        if said is not None:
            found[row, 1 + 3 * known[said]] = 1
        found[row, 2 + 3 * known[own]] = 1
        if said == own:
            found[row, [0, 3 + 3 * known[own]]] = 1
    return found


def counted(mean: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The share that is right, ``...``, and each label's shares that were said, are true, and are both, ``... x K``."""
    import numpy as np

    said, true, both = np.moveaxis(mean[..., 1:].reshape(*mean.shape[:-1], -1, 3), -1, 0)
    return mean[..., 0], said, true, both


def ratio(above: Floats, below: Floats) -> Floats:
    """A quotient, 0 where nothing is below."""
    import numpy as np

    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def table_of_some(answers: Sequence[str], references: Sequence[str], labels: Sequence[str]) -> Floats:
    """The same of some labels alone; of all where none is named.

    Raises:
        DataError: No row has one of the named labels.
    """
    found = table_of_labels(answers, references)
    if not labels:
        return found
    known = sorted({reference.strip() for reference in references})
    numbers = [number for number, label in enumerate(known) if label in labels]
    if not numbers:
        raise DataError(
            f"no held-out row has one of the labels {', '.join(labels)}",
            alternatives=known,
            next_step="name labels that rows have",
        )
    return found[:, [0, *(1 + 3 * number + place for number in numbers for place in (0, 1, 2))]]
