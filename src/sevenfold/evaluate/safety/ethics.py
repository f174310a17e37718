"""Ethics: is an act called what most people would call it."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.safety._methods import Preference


class Ethics(Preference):
    """Whether what most people call wrong is called wrong, and what is fine is called fine."""

    title: ClassVar[str] = "Ethics"
    figure: ClassVar[str] = "agrees"
    says: ClassVar[str] = "share of acts that are judged as most people judge them"
    blind: ClassVar[str] = (
        "Plain cases only; a judgement in a word is no moral reasoning; always the same word is chance."
    )
