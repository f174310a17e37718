"""Texts side by side in passes, where what several begin with is there once.

Texts are taken in the order of their ids, so that those that begin alike follow one another: what a text shares with
any one before it, it shares with the one just before it. Only the rest is new. At the border of two passes, what the
next text shares with the last one is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

SHORTEST = 8
"""Tokens from which on a common beginning is shared; a shorter one costs more to look up than to compute again."""

Ranges = list[tuple[int, int]]
"""Places of a text's tokens in order, from and to, among the held tokens and behind them the new ones."""


@dataclass(slots=True)
class Stretch:
    """New tokens of one text that lie together.

    Args:
        start: Its first place in the row of new tokens.
        end: The place behind its last.
        before: What the text has before it.
    """

    start: int
    end: int
    before: Ranges


@dataclass(slots=True)
class Sheet:
    """What goes through the network at once.

    Args:
        held: Tokens whose keys and values come from the sheet before.
        ids: The new tokens.
        positions: Their positions in their texts.
        stretches: To whom they belong.
        texts: Which texts are complete with this sheet.
        paths: Where the tokens of each of these are.
        carry: What the next sheet holds.
    """

    held: int
    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    texts: list[int] = field(default_factory=list)
    paths: list[Ranges] = field(default_factory=list)
    carry: Ranges = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """Stretches that follow one another and attend in one product.

    Args:
        stretches: They.
        seen: The places that any of them sees, in order; their own are the last.
    """

    stretches: list[Stretch]
    seen: Ranges

    @property
    def start(self) -> int:
        """The first new token's place."""
        return self.stretches[0].start

    @property
    def end(self) -> int:
        """The place behind the last new token."""
        return self.stretches[-1].end

    def columns(self, ranges: Ranges) -> Ranges:
        """Where some places are among those that are seen."""
        found, before = [], 0
        for low, high in self.seen:
            found += [
                (before + max(first, low) - low, before + min(last, high) - low)
                for first, last in ranges
                if max(first, low) < min(last, high)
            ]
            before += high - low
        return found


def blocks_of(sheet: Sheet, most: int) -> list[Block]:
    """The stretches of a sheet in blocks of at most so many new tokens, and as many that are seen besides.

    A product for each stretch costs more than the products across texts that a mask then hides, where texts are short.
    """
    found: list[Block] = []
    for stretch in sheet.stretches:
        own = (sheet.held + stretch.start, sheet.held + stretch.end)
        if found:
            last = found[-1]
            seen = union([*last.seen, *stretch.before, own])
            queries = stretch.end - last.start
            if queries <= most and sum(high - low for low, high in seen) - queries <= most:
                found[-1] = Block([*last.stretches, stretch], seen)
                continue
        found.append(Block([stretch], joined([*stretch.before, own])))
    return found


def union(ranges: Ranges) -> Ranges:
    """All places of some ranges in order, each once."""
    found: Ranges = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


class Sheets:
    """Texts laid into sheets, one after another.

    Args:
        texts: Ids of each text, none empty.
        needed: The first place of each text whose state is asked for; what lies before it may come from an earlier
            sheet.
        tokens: Most new tokens of a sheet; a longer text has a sheet of its own.
        held: Tokens that all texts begin with and whose keys and values are there already.
        shortest: As :data:`SHORTEST`.
    """

    def __init__(
        self,
        texts: Sequence[Sequence[int]],
        needed: Sequence[int],
        tokens: int,
        held: int = 0,
        shortest: int = SHORTEST,
    ) -> None:
        self.texts = [list(text) for text in texts]
        self.needed, self.tokens, self.held, self.shortest = needed, tokens, held, shortest
        self.order = sorted(range(len(texts)), key=self.texts.__getitem__)
        self.at = 0

    @property
    def left(self) -> int:
        """Texts that are in no sheet yet."""
        return len(self.order) - self.at

    def take(self, most: int | None = None) -> Sheet:
        """The next sheet: at least one text, at most so many."""
        sheet = Sheet(self.held)
        path: Ranges = [(0, self.held)] if self.held else []
        shared = self.held
        end = len(self.order) if most is None else min(len(self.order), self.at + most)
        while self.at < end:
            index = self.order[self.at]
            if sheet.texts:
                shared = self.shared()
            share = shared if self.needed[index] >= min(shared, self.held) else self.rounded(self.needed[index])
            text = self.texts[index]
            if sheet.texts and len(sheet.ids) + len(text) - share > self.tokens:
                break
            path = add(sheet, text, cut(path, share), share)
            sheet.texts.append(index)
            sheet.paths.append(path)
            self.at += 1
        self.held = self.shared() if self.left else 0
        sheet.carry = cut(path, self.held)
        return sheet

    def shared(self) -> int:
        """How much the next text shares with the one before it."""
        before, text = (self.texts[self.order[place]] for place in (self.at - 1, self.at))
        return self.rounded(common(before, text))

    def rounded(self, share: int) -> int:
        """What is worth to be shared."""
        return share if share >= self.shortest else 0


def add(sheet: Sheet, text: list[int], before: Ranges, share: int) -> Ranges:
    """Lay what is new of a text behind what is there; gives the path of the whole."""
    if share == len(text):
        return before
    start, end = len(sheet.ids), len(sheet.ids) + len(text) - share
    sheet.ids += text[share:]
    sheet.positions += range(share, len(text))
    sheet.stretches.append(Stretch(start, end, before))
    return joined([*before, (sheet.held + start, sheet.held + end)])


def joined(path: Ranges) -> Ranges:
    """The same places with ranges that touch made one."""
    found: Ranges = []
    for low, high in path:
        if found and found[-1][1] == low:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def cut(path: Ranges, length: int) -> Ranges:
    """The first ``length`` places of a path."""
    found: Ranges = []
    for low, high in path:
        if length <= 0:
            break
        found.append((low, min(high, low + length)))
        length -= high - low
    return found


def behind(path: Ranges, length: int) -> Ranges:
    """A path without its first ``length`` places."""
    found: Ranges = []
    for low, high in path:
        skipped = min(length, high - low)
        length -= skipped
        if low + skipped < high:
            found.append((low + skipped, high))
    return found


def place(path: Ranges, index: int) -> int:
    """Where the token of a number is."""
    for low, high in path:
        if index < high - low:
            return low + index
        index -= high - low
    raise IndexError(index)


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """With how many tokens both begin."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
