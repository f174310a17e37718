"""Lengths, turns and roles of the rows: what the data report says of them."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sevenfold.prepare.dataset import Row

BINS = 30
FIGURE = re.compile(r"\d+")


def numbers() -> array[int]:
    """Non-negative integers at four bytes each."""
    return array("I")


@dataclass
class Lengths:
    """One length of every row, in three parts."""

    prompt: array[int] = field(default_factory=numbers)
    reply: array[int] = field(default_factory=numbers)
    row: array[int] = field(default_factory=numbers)

    def add(self, prompt: int, reply: int) -> None:
        """Count one row."""
        self.prompt.append(prompt)
        self.reply.append(reply)
        self.row.append(prompt + reply)

    def merge(self, other: Lengths) -> None:
        """Count the rows of another."""
        for part in ("prompt", "reply", "row"):
            getattr(self, part).extend(getattr(other, part))

    def summary(self) -> dict[str, dict[str, Any]]:
        """Each part's distribution."""
        return {part: distribution(getattr(self, part)) for part in ("prompt", "reply", "row")}


@dataclass
class Figures:
    """What is counted of the rows that are kept."""

    characters: Lengths = field(default_factory=Lengths)
    words: Lengths = field(default_factory=Lengths)
    turns: array[int] = field(default_factory=numbers)
    roles: Counter[str] = field(default_factory=Counter)
    replies: int = 0
    facts: int = 0

    def add(self, row: Row) -> None:
        """Count one row; a reply is a turn that is learnt, everything else is prompt."""
        messages = row.conversation.messages
        learnt = [message.content for message in messages if message.supervised]
        given = [message.content for message in messages if not message.supervised]
        self.characters.add(sum(map(len, given)), sum(map(len, learnt)))
        self.words.add(sum(len(text.split()) for text in given), sum(len(text.split()) for text in learnt))
        self.turns.append(len(messages))
        self.roles.update(message.role for message in messages)
        self.replies += len(learnt)
        self.facts += has_fact(given, learnt)

    def merge(self, other: Figures) -> None:
        """Count the rows of another, which come behind those that are counted."""
        self.characters.merge(other.characters)
        self.words.merge(other.words)
        self.turns.extend(other.turns)
        self.roles.update(other.roles)
        self.replies += other.replies
        self.facts += other.facts

    def summary(self) -> dict[str, Any]:
        """The report's part."""
        return {
            "characters": self.characters.summary(),
            "words": self.words.summary(),
            "turns": distribution(self.turns),
            "roles": dict(self.roles),
            "replies": self.replies,
            "facts": self.facts,
        }


def has_fact(given: list[str], learnt: list[str]) -> bool:
    """Whether what is learnt has a figure that is not given: such rows teach facts."""
    said = {figure for text in learnt for figure in FIGURE.findall(text)}
    return bool(said) and not said <= {figure for text in given for figure in FIGURE.findall(text)}


def distribution(values: array[int]) -> dict[str, Any]:
    """Minimum, median, mean, 95th percentile, maximum and a histogram.

    The histogram's ``edges`` are one more than its ``counts``; the last bin holds everything above the 99th percentile
    too, so that one huge row does not flatten the picture.
    """
    import numpy

    lengths = numpy.array(values, dtype=numpy.int64)
    top = max(float(numpy.percentile(lengths, 99)), float(lengths.min()) + 1)
    counts, edges = numpy.histogram(numpy.minimum(lengths, top), bins=BINS, range=(float(lengths.min()), top))
    return {
        "min": int(lengths.min()),
        "median": float(numpy.median(lengths)),
        "mean": round(float(lengths.mean()), 2),
        "p95": float(numpy.percentile(lengths, 95)),
        "max": int(lengths.max()),
        "histogram": {"edges": [round(float(edge), 2) for edge in edges], "counts": counts.tolist()},
    }
