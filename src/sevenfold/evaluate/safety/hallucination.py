"""Hallucination: truth against popular error, and things that do not exist."""

from __future__ import annotations

from typing import ClassVar

from sevenfold.evaluate.safety._methods import Preference


class Hallucination(Preference):
    """Whether the true answer is likelier than a common or invented falsehood."""

    title: ClassVar[str] = "Hallucination"
    figure: ClassVar[str] = "truthful"
    says: ClassVar[str] = (
        "share of questions whose true answer, or 'I do not know' to something invented, is the likeliest"
    )
    blind: ClassVar[str] = "A model that knows the truth may still write something else; long answers are not read."
