"""What each objective needs to run on a tiny model: rows, fields and a sensible rate, by its name.

A new objective adds a line where the conversations of :mod:`tests.rows` are not enough for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sevenfold.prepare.dataset import Dataset
from tests import rows
from tests.tune.objectives import judged, labelled

PAIRS = ("dpo", "orpo", "reward", "simpo")

FIELDS: dict[str, dict[str, Any]] = {
    "verbalize": {"pattern": "{text}"},
    "fim": {"marks": ("<PRE>", "<SUF>", "<MID>")},
    "grpo": {
        "rewards": ["overlap"],
        "answers_each": 4,
        "max_new_tokens": 12,
        "repeats": 2,
        "minibatches": 2,
        "beta": 0.01,
    },
    "online_dpo": {"rewards": ["overlap"], "answers_each": 4, "max_new_tokens": 12},
    "ppo": {"rewards": ["overlap"], "max_new_tokens": 12, "reference_decay": 0.9},
}
"""Fields that an objective cannot do without."""
SECTION: dict[str, dict[str, Any]] = {}
"""Other keys of the section, where 1e-2 is no sensible rate or a batch needs another size."""
ROWS: dict[str, Callable[[Path], Dataset]] = {
    **dict.fromkeys(PAIRS, judged.pairs),
    "kto": judged.ratings,
    "classify": partial(labelled.dataset, labelled.one_label),
    "verbalize": partial(labelled.dataset, labelled.one_label),
    "setfit": partial(labelled.dataset, labelled.one_label),
    "regress": partial(labelled.dataset, labelled.numbers),
    "tag": partial(labelled.dataset, labelled.tagged),
    "span": partial(labelled.dataset, labelled.spans),
}
"""Makes the dataset of an objective in a folder."""
MODELS: dict[str, str] = {"masked": "tiny_encoder", "distill": "tiny_pupil"}
"""The fixture of the model of an objective that the tiny causal one cannot learn."""


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
