"""What each objective needs to run on a tiny model: rows, fields and a sensible rate, by its name.

A new objective adds a line where the conversations of :mod:`tests.rows` are not enough for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sevenfold.prepare.dataset import Dataset
from tests import rows
from tests.tune.objectives import judged

PAIRS = ("dpo", "orpo", "reward", "simpo")

FIELDS: dict[str, dict[str, Any]] = {}
"""Fields that an objective cannot do without."""
SECTION: dict[str, dict[str, Any]] = {}
"""Other keys of the section, where 1e-2 is no sensible rate or a batch needs another size."""
ROWS: dict[str, Callable[[Path], Dataset]] = {**dict.fromkeys(PAIRS, judged.pairs), "kto": judged.ratings}
"""Makes the dataset of an objective in a folder."""


def dataset(name: str, folder: Path) -> Dataset:
    """The rows of an objective."""
    return ROWS.get(name, rows.make_dataset)(folder)


def section(name: str, **changes: Any) -> dict[str, Any]:
    """The recipe's section for an objective."""
    return {
        "objective": {name: FIELDS.get(name, {})},
        "learning_rate": 1e-2,
        "batch": 4,
        "steps": 4,
        **SECTION.get(name, {}),
        **changes,
    }
