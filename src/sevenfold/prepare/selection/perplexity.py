"""Perplexity: how unlike the other rows a row is written."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.prepare.selection import Way

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from sevenfold.prepare.selection._material import Material


class Perplexity(Way):
    """The perplexity a character of prompt and reply, by counts of characters in the other rows, add-one smoothed.

    A control: what is unlike the rest scores high, whether it is rare or spoilt.
    """

    order: int = Field(3, ge=1, le=8, description="Characters before each that are looked at.")

    def scores(self, material: Material) -> NDArray[numpy.float64]:
        """The perplexities."""
        import numpy

        texts = [f"{prompt}\n{reply}" for prompt, reply in zip(material.prompts, material.replies, strict=True)]
        counts = [self.counted(text) for text in texts]
        grams: Counter[str] = Counter()
        for one in counts:
            grams.update(one)
        heads = self.heads(grams)
        letters = len({letter for text in texts for letter in text}) + 1
        return numpy.array([math.exp(self.surprise(one, grams, heads, letters)) for one in counts])

    def counted(self, text: str) -> Counter[str]:
        """Each character with those before it, counted."""
        padded = "\0" * self.order + text
        return Counter(padded[place : place + self.order + 1] for place in range(len(text)))

    def heads(self, grams: Counter[str]) -> Counter[str]:
        """What stands before a character, counted."""
        found: Counter[str] = Counter()
        for gram, count in grams.items():
            found[gram[:-1]] += count
        return found

    def surprise(self, own: Counter[str], grams: Counter[str], heads: Counter[str], letters: int) -> float:
        """The mean negative logarithm of a row's characters; its own counts are taken out."""
        mine = self.heads(own)
        total = sum(
            count * math.log((heads[gram[:-1]] - mine[gram[:-1]] + letters) / (grams[gram] - count + 1))
            for gram, count in own.items()
        )
        return total / own.total()
