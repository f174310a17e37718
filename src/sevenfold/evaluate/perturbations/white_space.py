"""More white space than is needed."""

from __future__ import annotations

import re
from random import Random
from typing import ClassVar

from pydantic import Field

from sevenfold.evaluate.perturbations import Perturbation

GAP = re.compile(r" +")


class WhiteSpace(Perturbation):
    """Some single spaces become several, or a tab, as in text that was pasted; a space more at the end."""

    says: ClassVar[str] = "extra white space"
    main = "share"
    share: float = Field(0.3, gt=0, le=1, description="Share of the spaces that become more.")

    def change(self, text: str, draw: Random) -> str:
        """The text with more white space."""

        def wider(found: re.Match[str]) -> str:
            return draw.choice(("  ", "   ", "\t")) if draw.random() < self.share else found[0]

        return GAP.sub(wider, text) + " " if text.strip() else text
