"""How long the spans of encoded rows are, and what each attends to: arithmetic on whole arrays, for plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.objectives import Extra


@dataclass(frozen=True)
class Spans:
    """Spans of tokens that go through the network, and the sequences they make.

    Args:
        lengths: Tokens of each span.
        behind: Tokens of the stem that each span continues; 0: none.
        sequences: Tokens of each sequence.
        targets: Supervised tokens of all.
    """

    lengths: np.ndarray
    behind: np.ndarray
    sequences: np.ndarray
    targets: int

    @property
    def tokens(self) -> int:
        """All tokens."""
        return int(self.sequences.sum())

    @property
    def mean_length(self) -> float:
        """Mean over tokens of the length of a row whose attention costs as much: a long row counts by its tokens.

        A branch of n tokens behind s others costs what ``n (2 s + n)`` pairs do, a text alone ``n^2``.
        """
        pairs = self.lengths * (2.0 * self.behind + self.lengths)
        return float(pairs.sum() / max(1, self.tokens))

    def scores_kept(self, longest: int) -> float:
        """Attention weights a head and a token, on average, of spans that see at most so many tokens."""
        seen = self.lengths + self.behind
        short = seen <= longest
        return float((self.lengths * seen.astype(float))[short].sum() / max(1, self.tokens))

    @property
    def copied(self) -> float:
        """Places of keys and values a token, on average, that branches hold again: their own behind their stem's."""
        branches = self.behind > 0
        return float((self.lengths + self.behind)[branches].sum() / max(1, self.tokens))


def of_rows(rows: Encoded, extra: Extra) -> Spans:
    """The spans of all rows; where answers are drawn, with as many and as long ones as there may be."""
    whole = rows.lengths.astype(np.int64)
    starts = np.asarray(rows.parts["branches"], dtype=np.int64)
    ends_of = np.asarray(rows.parts["branched"], dtype=np.int64)
    counts: np.ndarray = ends_of - np.concatenate([[0], ends_of[:-1]])
    branched = counts > 0
    owners = np.repeat(np.arange(len(whole)), counts)
    firsts = np.zeros(len(whole), dtype=np.int64)
    firsts[branched] = starts[(np.cumsum(counts) - counts)[branched]]
    stems, alone = firsts[branched & (firsts > 0)], whole[~branched]
    if extra.answers:
        behind = np.repeat(firsts[branched], extra.answers)
        lengths = np.full(len(behind), extra.answer_tokens, dtype=np.int64)
        whole = np.where(branched, firsts + extra.answers * extra.answer_tokens, whole)
        targets = int(lengths.sum())
    else:
        last = np.append(owners[1:] != owners[:-1], True) if len(owners) else np.zeros(0, dtype=bool)
        ends = np.where(last, whole[owners], np.append(starts[1:], 0)) if len(owners) else starts
        lengths, behind, targets = ends - starts, firsts[owners], rows.supervised
    texts = np.concatenate([alone, stems])
    return Spans(np.concatenate([texts, lengths]), np.concatenate([np.zeros_like(texts), behind]), whole, targets)
