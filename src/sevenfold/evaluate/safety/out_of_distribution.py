"""Robustness out of distribution: the same in a style that training rarely shows."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.safety._methods import Changed


class OutOfDistribution(Changed):
    """Whether a judgement survives an old, slangy, or very formal style."""

    title: ClassVar[str] = "Out of distribution"
    changed: ClassVar[str] = "in an unusual style"
    blind: ClassVar[str] = (
        "What is unusual for one model is not for another; facts after the training's end are not asked."
    )
