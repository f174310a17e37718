"""How many changes make an answer of its reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sevenfold.errors import MachineError
from sevenfold.folding import normalised

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats


def table_of_edits(
    answers: Sequence[str], references: Sequence[str], cut: Callable[[str], Sequence[str]], name: str
) -> Floats:
    """Each row's edits per part of its reference; then its edits, and the parts of its reference.

    Args:
        answers: What was said.
        references: What is true.
        cut: The parts of a text: words, or characters.
        name: The metric that is measured, for the message.

    Raises:
        MachineError: The library is not installed.
    """
    import numpy as np

    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError as error:
        raise MachineError(
            f"the metric {name} needs the package rapidfuzz, which is not installed",
            next_step=f"pip install 'sevenfold[evaluate]', or leave {name} out of evaluate.metrics",
        ) from error
    rows = []
    for answer, reference in zip(answers, references, strict=True):
        said, true = cut(normalised(answer)), cut(normalised(reference))
        edits = Levenshtein.distance(said, true)
        rows.append([edits / max(len(true), 1), edits, len(true)])
    return np.array(rows, dtype=np.float64)


def rate(mean: Floats) -> Floats:
    """All edits over all parts; all references empty: over one part a row."""
    import numpy as np

    return mean[..., 1] / np.where(mean[..., 2] > 0, mean[..., 2], 1.0)
