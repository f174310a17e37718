"""Named measures of a text that filters of large corpora use; each says whether the text fails it.

Gopher: Rae et al. 2021, arXiv 2112.11446, appendix A.1.1. C4: Raffel et al. 2020, arXiv 1910.10683, section 2.2.
FineWeb: Penedo et al. 2024, arXiv 2406.17557, section 3.4.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

ARABIC = re.compile("[\u0600-\u06ff\ufb50-\ufdff\ufe70-\ufefc]")
LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese: words are not parted by spaces, so that none can be counted."""
EDGES = "\"'“”‘’«»()[]{}<>.,;:!?،؛؟…*_`"
STOP_WORDS = {
    "latin": frozenset(["the", "be", "to", "of", "and", "that", "have", "with"]),
    "arabic": frozenset(["و", "در", "به", "از", "که", "این", "را", "با", "است", "برای", "آن", "هم"]),
}
"""Gopher's eight for English; for Persian the most frequent words that stand in any prose."""
BULLETS = ("•", "-", "*", "–", "●", "‣", "◦", "▪", "·")
ENDS = (".", "!", "?", "؟", "…", "。", "！", "？", "۔", '"', "”", "»", ":", "؛")


@dataclass(frozen=True)
class Text:
    """A text with what the measures need of it, each counted when it is first asked for."""

    text: str

    @cached_property
    def words(self) -> list[str]:
        """What stands between white space."""
        return self.text.split()

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not blank."""
        return [line.strip() for line in self.text.split("\n") if line.strip()]

    @cached_property
    def paragraphs(self) -> list[str]:
        """What stands between blank lines."""
        return [part.strip() for part in re.split(r"\n\s*\n", self.text) if part.strip()]

    @cached_property
    def script(self) -> str:
        """``latin``, ``arabic``, ``unspaced`` or ``other``: what most of its letters are."""
        counts = {
            "latin": len(LATIN.findall(self.text)),
            "arabic": len(ARABIC.findall(self.text)),
            "unspaced": 2 * len(UNSPACED.findall(self.text)),
        }
        found = max(counts, key=lambda name: counts[name])
        return found if counts[found] * 2 >= sum(map(str.isalpha, self.text)) > 0 else "other"

    @cached_property
    def spaced(self) -> bool:
        """Whether words can be counted."""
        return self.script != "unspaced"

    def share_of_words(self, count: float) -> float:
        """A count to the number of words."""
        return count / max(len(self.words), 1)

    def share_of_lines(self, count: float) -> float:
        """A count to the number of lines."""
        return count / max(len(self.lines), 1)


def mean_length(text: Text) -> float:
    """Characters a word."""
    return text.share_of_words(sum(map(len, text.words)))


def symbols(text: Text) -> float:
    """Hash signs or ellipses to words, the larger of the two; Markdown's headings count as no signs."""
    hashes = len(re.findall(r"#", re.sub(r"(?m)^#{1,6} ", "", text.text)))
    return text.share_of_words(max(hashes, len(re.findall(r"\.\.\.|…", text.text))))


def alphabetic(text: Text) -> float:
    """Words with a letter, as a share."""
    return text.share_of_words(sum(any(map(str.isalpha, word)) for word in text.words))


def stop_words(text: Text) -> int | None:
    """Different stop words of the text's script; None where no list suits it."""
    known = STOP_WORDS.get(text.script)
    if known is None:
        return None
    return len(known & {word.strip(EDGES).lower() for word in text.words})


def bullets(text: Text) -> float:
    """Lines that begin with a bullet, as a share."""
    return text.share_of_lines(sum(line.startswith(BULLETS) for line in text.lines))


def ellipses(text: Text) -> float:
    """Lines that end in an ellipsis, as a share."""
    return text.share_of_lines(sum(line.endswith(("...", "…")) for line in text.lines))


def ended(text: Text) -> float:
    """Lines that end in punctuation, as a share."""
    return text.share_of_lines(sum(line.endswith(ENDS) for line in text.lines))


def sentences(text: Text) -> int:
    """Sentences, by the marks that end them."""
    return len([part for part in re.split(r"[.!?؟。！？۔…]+(?=\s|$)|\n+", text.text) if part.strip()])


def repeated(parts: list[str]) -> float:
    """Parts that stood before, as a share of all parts."""
    return (len(parts) - len(set(parts))) / max(len(parts), 1)


def repeated_characters(parts: list[str]) -> float:
    """Characters of the parts that stood before, as a share of all."""
    again = sum(len(part) * (count - 1) for part, count in Counter(parts).items())
    return again / max(sum(map(len, parts)), 1)


def top_gram(words: list[str], size: int) -> float:
    """Characters in the most frequent run of so many words, as a share; 0 when none comes back."""
    grams = Counter(zip(*(words[start:] for start in range(size)), strict=False))
    if not grams:
        return 0.0
    gram, count = max(grams.items(), key=lambda item: (item[1], sum(map(len, item[0]))))
    return sum(map(len, gram)) * count / sum(map(len, words)) if count > 1 else 0.0


def repeated_grams(words: list[str], size: int) -> float:
    """Characters of the words in runs of so many that come back, each word counted once, as a share."""
    grams = list(zip(*(words[start:] for start in range(size)), strict=False))
    counts = Counter(grams)
    covered = {place + step for place, gram in enumerate(grams) if counts[gram] > 1 for step in range(size)}
    return sum(len(words[place]) for place in covered) / max(sum(map(len, words)), 1)


def below(measure: Callable[[Text], float | None]) -> Callable[[Text, float], bool]:
    """A rule that a text fails when the measure is under the limit; a measure without a value fails nobody."""
    return lambda text, limit: (found := measure(text)) is not None and found < limit


def above(measure: Callable[[Text], float]) -> Callable[[Text, float], bool]:
    """A rule that a text fails when the measure is over the limit."""
    return lambda text, limit: measure(text) > limit


def of_words(rule: Callable[[Text, float], bool]) -> Callable[[Text, float], bool]:
    """A rule about words, which says nothing of a script without spaces."""
    return lambda text, limit: text.spaced and rule(text, limit)
