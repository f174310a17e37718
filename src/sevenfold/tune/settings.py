"""What a training was set to, in plain figures: what advice about its curve names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sevenfold.tune.section import TuneSection

Settings = dict[str, float | int | str | None]


def settings_of(section: TuneSection, rows: int) -> Settings:
    """The settings that decide the shape of a curve.

    Args:
        section: The recipe's section.
        rows: Training rows.

    Returns:
        ``rows``, ``batch``, ``epochs`` or ``steps`` as they were given (the other is None), ``learning_rate``,
        ``clip``, ``patience``, ``warmup`` with its ``schedule``, ``weight_decay`` with its ``optimizer``, and ``rank``
        with its ``method``; None where there is no such thing.
    """
    from sevenfold.tune.methods import METHODS
    from sevenfold.tune.optimizers import OPTIMIZERS
    from sevenfold.tune.schedules import SCHEDULES

    epochs = None if section.steps is not None else section.epochs or 1.0
    return {
        "rows": rows,
        "batch": section.batch,
        "epochs": epochs,
        "steps": section.steps,
        "learning_rate": section.learning_rate,
        "clip": section.clip,
        "patience": section.patience,
        "schedule": SCHEDULES.name_of(section.schedule),
        "warmup": section.schedule.warmup,
        "optimizer": OPTIMIZERS.name_of(section.optimizer),
        "weight_decay": figure_of(section.optimizer, "weight_decay"),
        "method": METHODS.name_of(section.method),
        "rank": figure_of(section.method, "rank"),
    }


def figure_of(component: object, name: str) -> float | int | None:
    """A component's figure, where it has one."""
    value = getattr(component, name, None)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
