"""Other words for words, from the rows' own vocabulary, where the sentence stays what it says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice, takewhile
from random import Random
from typing import Annotated

from pydantic import Field

from sevenfold.prepare.augment import PLACEHOLDER, Augmenter, Known, Way, amount
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.making.likeness import SAMPLE, Likeness
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors

WORD = re.compile(r"[^\W\d_]+(?:\u200c[^\W\d_]+)*")
"""Letters in a row; the half-space parts no Persian word."""
SHORTEST = 3
"""Letters of the shortest word that is exchanged."""
COMMON = 0.3
"""The share of texts from which a word is one of grammar or of the template, and stays."""
FEW = 10
"""With fewer texts no word is common."""
STEM = 0.6
"""The shared beginning, as a share of the shorter word, from which two words are forms of one."""


def default_vectors() -> Vectors:
    """Sentence embeddings."""
    return VECTORS.find("e5")()


class Synonyms(Augmenter):
    """Words exchanged for the nearest of the rows' own vocabulary, kept where the whole text stays near enough.

    By embeddings alone: near words can be opposites (`cheap`, `expensive`), so read a sample, and use `agree` for
    labelled rows. Vectors of the vocabulary are made first, with e5 about 20 ms a word on one core.
    """

    main = "share"
    share: float = Field(0.15, gt=0, le=0.5, description="Words exchanged, as a share of a text's words; at least one.")
    vocabulary: int = Field(2000, ge=2, le=20000, description="Words of the rows that are known, the commonest.")
    nearest: int = Field(5, ge=1, le=50, description="Candidates for a word.")
    near: float = Field(
        0.3, ge=0, le=1, description="Least nearness of two words: 0 is two words of the rows by chance, 1 the same."
    )
    alike: float = Field(
        0.7, ge=-1, le=1, description="Least likeness of the text after an exchange to the one before."
    )
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=default_vectors, description="By which words and texts are compared."
    )

    def start(self, known: Known) -> Way:
        """Learn which words are near."""
        near = self.neighbours(self.words(text for text, _ in known.texts()), known.work.random("words"))
        texts = [text for text, _ in islice(known.texts(), 20 * SAMPLE)]
        likeness = Likeness(self.vectors, texts, known.work.random("sentences"))

        def way(text: str, random: Random, _: Row) -> str | None:
            return self.exchanged(text, random, near, likeness)

        return way

    def change(self, text: str, random: Random) -> str | None:
        """Nothing: the vocabulary is not known before the rows are."""
        return None

    def words(self, texts: Iterable[str]) -> list[str]:
        """The commonest words, those in too many texts left out."""
        counted: Counter[str] = Counter()
        count = 0
        for text in texts:
            counted.update({word.casefold() for word in WORD.findall(PLACEHOLDER.sub(" ", text))})
            count += 1
        most = max(COMMON * count, FEW)
        kept = sorted(word for word in counted if len(word) >= SHORTEST and counted[word] <= most)
        return sorted(kept, key=lambda word: -counted[word])[: self.vocabulary]

    def neighbours(self, words: list[str], random: Random) -> dict[str, list[str]]:
        """The nearest words of each, forms of itself left out; one row of the matrix of all pairs at a time."""
        if len(words) < 2:
            return {}
        scale = Likeness(self.vectors, words, random)
        points = self.vectors.of(words)
        found = {}
        for place, word in enumerate(words):
            cosines = points @ points[place]
            order = [int(other) for other in (-cosines).argsort(kind="stable")]
            nearness = scale.scaled(cosines)
            near = (other for other in order if nearness[other] >= self.near and not same_stem(word, words[other]))
            if chosen := [words[other] for other in islice(near, self.nearest)]:
                found[word] = chosen
        return found

    def exchanged(self, text: str, random: Random, near: dict[str, list[str]], likeness: Likeness) -> str | None:
        """The text with words exchanged, from its end so that places stay."""
        masked = [found.span() for found in PLACEHOLDER.finditer(text)]
        words = [
            found
            for found in WORD.finditer(text)
            if found[0].casefold() in near and not any(start <= found.start() < end for start, end in masked)
        ]
        chosen = random.sample(words, min(len(words), amount(self.share, len(text.split())))) if words else []
        other = text
        for found in sorted(chosen, key=lambda found: -found.start()):
            tried = [
                other[: found.start()] + cased(word, found[0]) + other[found.end() :]
                for word in near[found[0].casefold()]
            ]
            alike = likeness.between(tried, [text] * len(tried))
            best = max(range(len(tried)), key=alike.__getitem__)
            other = tried[best] if alike[best] >= self.alike else other
        return other if other != text else None


def same_stem(one: str, other: str) -> bool:
    """Whether two words are forms of one, by their common beginning."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return shared >= STEM * min(len(one), len(other))


def cased(word: str, like: str) -> str:
    """A word with the capitals of another."""
    return word.upper() if like.isupper() and len(like) > 1 else word.capitalize() if like[0].isupper() else word
