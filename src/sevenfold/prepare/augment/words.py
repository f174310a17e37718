"""Noise in words: exchanged, dropped, split, joined, and the Persian half-space lost or written as a space."""

from __future__ import annotations

from random import Random
from typing import Literal

from pydantic import Field

from sevenfold.prepare.augment import PLACEHOLDER, Augmenter, amount

ZWNJ = "\u200c"
SHORTEST = 4
"""Letters of the shortest word that is split."""

Noise = Literal["swap", "drop", "split", "join", "half_space"]
NOISES: tuple[Noise, ...] = ("swap", "drop", "split", "join", "half_space")


class Words(Augmenter):
    """Neighbouring words swapped or joined, words dropped or split, half-spaces lost; line breaks become spaces."""

    main = "share"
    share: float = Field(0.1, gt=0, le=0.5, description="Changes as a share of a text's words; at least one.")
    noises: tuple[Noise, ...] = Field(
        NOISES, min_length=1, description="Which changes there are; half_space: ZWNJ dropped, or a space in its place."
    )

    def change(self, text: str, random: Random) -> str | None:
        """The text with noise."""
        words = text.split()
        changed = False
        for _ in range(amount(self.share, len(words))):
            kinds = [kind for kind in self.noises if places(words, kind)]
            if kinds:
                kind = random.choice(kinds)
                disturb(words, kind, random.choice(places(words, kind)), random)
                changed = True
        return " ".join(words) if changed else None


def places(words: list[str], kind: Noise) -> list[int]:
    """The words at which a change can be made; placeholders are no such words."""
    free = [place for place, word in enumerate(words) if not PLACEHOLDER.search(word)]
    if kind in {"swap", "join"}:
        following = set(free)
        return [place for place in free if place + 1 in following]
    if kind == "split":
        return [place for place in free if len(words[place]) >= SHORTEST and words[place].isalpha()]
    if kind == "half_space":
        return [place for place in free if ZWNJ in words[place]]
    return free if len(words) > 1 else []


def disturb(words: list[str], kind: Noise, place: int, random: Random) -> None:
    """One change."""
    if kind == "swap":
        words[place : place + 2] = [words[place + 1], words[place]]
    elif kind == "join":
        words[place : place + 2] = [words[place] + words[place + 1]]
    elif kind == "drop":
        del words[place]
    elif kind == "split":
        cut = random.randint(2, len(words[place]) - 2)
        words[place : place + 1] = [words[place][:cut], words[place][cut:]]
    else:
        words[place : place + 1] = words[place].replace(ZWNJ, random.choice(("", " "))).split()
