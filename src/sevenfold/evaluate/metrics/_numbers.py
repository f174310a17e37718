"""Answers as numbers beside the references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sevenfold.errors import DataError
from sevenfold.evaluate.metrics._said import number

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


def errors(answers: Sequence[str], references: Sequence[str]) -> tuple[Floats, Floats]:
    """What each answer's first number misses the reference by, and the references, ``N`` each.

    An answer without a number counts as the mean of the references, the best that can be said without reading.

    Raises:
        DataError: A reference is no number.
    """
    import numpy as np

    try:
        true = np.array([float(reference) for reference in references])
    except ValueError as error:
        raise DataError(
            f"a reference is no number: {error}", expected="numbers as last replies", next_step="measure other metrics"
        ) from None
    said = [number(answer) for answer in answers]
    return np.array([true.mean() if value is None else value for value in said]) - true, true
