"""What is said often: vocabulary, phrases, and how replies begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import Field

from sevenfold.findings import Chart, Findings, Table
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.audits._columns import check
from sevenfold.prepare.audits._sample import Lines, Sample, reply_of, share, text_of
from sevenfold.prepare.dataset import SPLITS, Dataset
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.work import Work

SHOWN = 15
OPENING = 4
"""Words of a reply that are its opening."""
OFTEN = 0.1
"""Share of the replies from which one opening is pointed at."""


class Words(Audit):
    """Vocabulary, the most frequent phrases by split or label, and openings that many replies share.

    Words are counted as near-duplicates are compared: without case, with one form of Persian letters. Phrases
    are held in memory for the rows that are looked at, about 100 bytes a different phrase.
    """

    main = "length"
    length: int = Field(3, ge=1, le=8, description="Words of a phrase.")
    by: str | None = Field(None, description="A column of labels whose phrases are shown apart; not given: by split.")
    rows: int | None = Field(5000, ge=1, description="Rows that are looked at, evenly spaced; null: all.")

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Count words and phrases.

        Raises:
            DataError: No row has the column.
        """
        sample = Sample(dataset, self.rows)
        check([self.by] if self.by else [], sample)
        said: dict[str, Said] = {}
        openings: Counter[str] = Counter()
        with work.console.task("words (rows)", sample.size) as task:
            for split, row in sample:
                part = row.fields.get(self.by) or "(none)" if self.by else split
                said.setdefault(part, Said()).add(words_of(text_of(row)), self.length)
                openings[" ".join(words_of(reply_of(row))[:OPENING])] += 1
                task.advance(1)
        return self.findings(sample, said, openings)

    def findings(self, sample: Sample, said: dict[str, Said], openings: Counter[str]) -> Findings:
        """What was found, in words."""
        whole: Counter[str] = Counter()
        for part in said.values():
            whole += part.words
        once = sum(count == 1 for count in whole.values())
        top, count = openings.most_common(1)[0]
        sentence = (
            f"Of {sample.said()}: {whole.total():,} words, {len(whole):,} different, {share(once, len(whole))} of "
            f"these once; the most frequent opening of a reply, {top!r}, begins {share(count, sample.size)} of "
            "them."
        )
        found = Findings("Words", sentence)
        found.figures = {
            "rows": sample.size,
            "words": whole.total(),
            "vocabulary": len(whole),
            "words_once": once,
            "openings": dict(openings.most_common(SHOWN)),
            "phrases": {name: dict(part.phrases.most_common(SHOWN)) for name, part in said.items()},
        }
        found.tables = [phrase_table(said, self.length, self.by), opening_table(openings, sample.size)]
        if not self.by and "train" in said:
            found.charts += unseen(said)
        if count > OFTEN * sample.size and sample.size > 20:
            found.advice.append(
                f"{share(count, sample.size)} of the replies begin with {top!r}: the model will too. Is that wanted?"
            )
        return found


@dataclass
class Said:
    """Words and phrases of a part of the rows."""

    words: Counter[str] = field(default_factory=Counter)
    phrases: Counter[str] = field(default_factory=Counter)

    def add(self, words: list[str], length: int) -> None:
        """Count a row; a phrase counts once in it."""
        self.words.update(words)
        self.phrases.update(set(phrases(words, length)))


def phrases(words: list[str], length: int) -> Iterator[str]:
    """Every run of so many words."""
    return (" ".join(words[start : start + length]) for start in range(len(words) - length + 1))


def phrase_table(said: dict[str, Said], length: int, by: str | None) -> Table:
    """The most frequent phrases of each part."""
    lines: Lines = [
        [name, phrase, count] for name, part in said.items() for phrase, count in part.phrases.most_common(SHOWN)
    ]
    return Table(f"Most frequent phrases of {length} words", [by or "split", "phrase", "rows"], lines)


def opening_table(openings: Counter[str], rows: int) -> Table:
    """The most frequent openings of replies."""
    lines: Lines = [[opening, count, share(count, rows)] for opening, count in openings.most_common(SHOWN) if count > 1]
    return Table("How replies begin", ["opening", "rows", "share"], lines)


def unseen(said: dict[str, Said]) -> list[Chart]:
    """The share of held-out words that no training row has."""
    sides = [split for split in SPLITS[1:] if split in said]
    known = said["train"].words
    shares = [
        100 * sum(count for word, count in said[side].words.items() if word not in known) / said[side].words.total()
        for side in sides
        if said[side].words
    ]
    says = "Words of held-out rows that the looked-at training rows never say: what the model has not seen."
    return [Chart("bars", "unseen words, %", sides, shares, says)] if len(shares) == len(sides) > 0 else []
