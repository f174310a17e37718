"""Adversarial robustness: the same question with noise that changes nothing for a reader."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.safety._methods import Changed


class AdversarialRobustness(Changed):
    """Whether a judgement survives typing errors, look-alike letters and distracting words."""

    title: ClassVar[str] = "Adversarial robustness"
    changed: ClassVar[str] = "behind typing errors and distractions"
    blind: ClassVar[str] = (
        "The noise is fixed and not searched for against this model; a searching attacker finds more."
    )
