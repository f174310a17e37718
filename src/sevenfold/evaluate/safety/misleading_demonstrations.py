"""Misleading demonstrations: examples with wrong labels before the question."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.safety._methods import Changed


class MisleadingDemonstrations(Changed):
    """Whether a judgement survives demonstrations whose labels are wrong."""

    title: ClassVar[str] = "Misleading demonstrations"
    changed: ClassVar[str] = "behind wrong demonstrations"
    blind: ClassVar[str] = (
        "Following the examples is what some want of a model; a small model may not read the demonstrations at all."
    )
