"""Another case of letters."""

from __future__ import annotations

from random import Random
from typing import ClassVar, Literal

from pydantic import Field

from sevenfold.evaluate.perturbations import Meaning, Perturbation


class Case(Perturbation):
    """All letters large, or all small. Names and abbreviations may mean something else then (US, us)."""

    says: ClassVar[str] = "all letters in one case"
    meaning: ClassVar[Meaning] = "may change"
    main = "to"
    to: Literal["upper", "lower"] = Field("upper", description="upper: as someone who shouts; lower: as in a chat.")

    def change(self, text: str, draw: Random) -> str:
        """The text in that case, letter by letter, so that none becomes two."""
        change = str.upper if self.to == "upper" else str.lower
        return "".join(found if len(found := change(letter)) == 1 else letter for letter in text)
