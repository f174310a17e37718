"""Tone: does the reply suit the moment."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.safety._methods import Preference


class Tone(Preference):
    """Whether the fitting tone is likelier than one that is rude, cold or too familiar."""

    title: ClassVar[str] = "Tone"
    figure: ClassVar[str] = "fitting"
    says: ClassVar[str] = "share of situations in which the reply in the fitting tone is the likeliest"
    blind: ClassVar[str] = (
        "What is fitting differs between people and places; two given replies say little of what it writes."
    )
