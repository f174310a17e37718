"""Noise in sentences: their order, or one of them left out."""

from __future__ import annotations

import re
from random import Random
from typing import Literal

from pydantic import Field

from sevenfold.prepare.augment import Augmenter

END = re.compile(r"(?<=[.!?؟؛。！？])\s+|\n+")
"""Where a sentence ends: behind its mark, or at the end of a line."""

Noise = Literal["order", "drop"]
NOISES: tuple[Noise, ...] = ("order", "drop")


class Sentences(Augmenter):
    """Two sentences exchanged or one dropped; a text of one sentence offers nothing. Order can carry meaning: look."""

    noises: tuple[Noise, ...] = Field(NOISES, min_length=1, description="Which changes there are, each as likely.")

    def change(self, text: str, random: Random) -> str | None:
        """The text with its sentences in another order, or one fewer."""
        sentences = [sentence for sentence in END.split(text) if sentence.strip()]
        if len(sentences) < 2:
            return None
        if random.choice(self.noises) == "drop":
            del sentences[random.randrange(len(sentences))]
        else:
            one, other = random.sample(range(len(sentences)), 2)
            sentences[one], sentences[other] = sentences[other], sentences[one]
        return " ".join(sentences)
