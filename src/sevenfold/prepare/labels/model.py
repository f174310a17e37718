"""What several noisy voters say of rows, made one label each: a generative model of their mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

ABSTAINS = -1
ROUNDS = 200
CLOSE = 1e-6
"""The change of the probabilities, at most, at which the rounds end."""
STRENGTH = 4.0
"""How many votes the prior on a voter's answers counts for, for each true label."""
UNKNOWN = 0.02
"""What a row without a known label counts for beside known ones (Nigam et al. 2000, EM-lambda)."""
HOPE = 0.75
"""The prior's share of right votes: a function is written because it is thought to be right."""


@dataclass(frozen=True)
class Consensus:
    """What the model holds for true.

    Args:
        labels_NK: Each row's probabilities of the labels.
        prior_K: How frequent the labels are.
        answers_MKV: Of each voter and true label: how it votes; the last is abstaining.
        accuracy_M: The share of a voter's votes that are right, as the model sees it.
        rounds: Rounds until the probabilities stood still.
    """

    labels_NK: NDArray[numpy.float64]
    prior_K: NDArray[numpy.float64]
    answers_MKV: NDArray[numpy.float64]
    accuracy_M: NDArray[numpy.float64]
    rounds: int


def consensus(
    votes_NM: NDArray[numpy.int64], labels: int, known: NDArray[numpy.int64] | Sequence[int] = ()
) -> Consensus:
    """Each row's label out of the votes (Dawid & Skene 1979, by expectation and maximisation with a prior).

    Voters are taken to be independent given the label, each with its own table of what it does at each true label.
    Abstaining is one of the things it does: of a function that ever says one label alone, where it keeps silent is all
    that is to be learnt. The prior says that :data:`HOPE` of a voter's votes are right, for all labels the same, and
    counts as :data:`STRENGTH` rows. Where no voter votes, what is given is no knowledge. Takes ``8 N M (K + 1)`` bytes.

    Args:
        votes_NM: The label that a voter says, from 0, or ``ABSTAINS``.
        labels: How many labels there are.
        known: The rows' labels where people said them, else ``ABSTAINS``; they stay what they are.
    """
    import numpy

    one_hot = numpy.eye(labels + 1)
    did_MNV = [one_hot[votes] for votes in votes_NM.T]
    pseudo_MKV = [STRENGTH * hoped(did.mean(axis=0)) for did in did_MNV]
    fixed = numpy.asarray(known, dtype=int) if len(known) else numpy.full(len(votes_NM), ABSTAINS)
    sure = fixed != ABSTAINS
    belief = shares(sum((did[:, :-1] for did in did_MNV), numpy.full((len(votes_NM), labels), 1 / labels)))
    belief[sure] = one_hot[fixed[sure], :-1]
    voted = (votes_NM != ABSTAINS).any(axis=1) | sure
    weight_N1 = numpy.where(sure | ~sure.any(), 1.0, UNKNOWN)[:, None] * voted[:, None]
    rounds = 0
    for rounds in range(1, ROUNDS + 1):  # noqa: B007
        prior = shares((belief * weight_N1).sum(axis=0) + 1)
        tables = [
            shares((belief * weight_N1).T @ did + pseudo) for did, pseudo in zip(did_MNV, pseudo_MKV, strict=True)
        ]
        logs = numpy.log(prior) + sum(did @ numpy.log(table).T for did, table in zip(did_MNV, tables, strict=True))
        new = shares(numpy.exp(logs - logs.max(axis=1, keepdims=True)))
        new[sure] = one_hot[fixed[sure], :-1]
        change, belief = float(numpy.abs(new - belief).max(initial=0)), new
        if change < CLOSE:
            break
    said_MNK = [did[:, :-1] for did in did_MNV]
    right = [float((belief * said).sum() / max(said.sum(), 1)) for said in said_MNK]
    return Consensus(belief, prior, numpy.stack(tables), numpy.array(right), rounds)


def hoped(done_V: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """What a voter would do at each label if :data:`HOPE` of its votes were right and the labels equally frequent.

    Args:
        done_V: How often it says each label, and last how often it abstains; shares of the rows.
    """
    import numpy

    labels = len(done_V) - 1
    right_KK = numpy.full((labels, labels), (1 - HOPE) / max(labels - 1, 1))
    numpy.fill_diagonal(right_KK, HOPE)
    votes_KK = right_KK * done_V[None, :-1] * labels
    silent_K = numpy.clip(1 - votes_KK.sum(axis=1, keepdims=True), 0.01, None)
    return shares(numpy.concatenate([votes_KK, silent_K], axis=1) + 1e-3)


def shares(counts: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Counts as shares of their line."""
    result: NDArray[numpy.float64] = counts / counts.sum(axis=-1, keepdims=True)
    return result


def majority(votes_NM: NDArray[numpy.int64], labels: int) -> NDArray[numpy.int64]:
    """The label with most votes, the first of several; ``ABSTAINS`` where nobody votes."""
    import numpy

    counts = numpy.stack([(votes_NM == label).sum(axis=1) for label in range(labels)], axis=1)
    return numpy.where(counts.max(axis=1) > 0, counts.argmax(axis=1), ABSTAINS)


@dataclass(frozen=True)
class Voter:
    """How one labelling function does, as shares of rows.

    Args:
        coverage: Where it votes.
        overlap: Where another votes too.
        conflict: Where another votes otherwise.
    """

    coverage: float
    overlap: float
    conflict: float


def voters(votes_NM: NDArray[numpy.int64]) -> list[Voter]:
    """Coverage, overlaps and conflicts of each voter."""
    voted = votes_NM != ABSTAINS
    found = []
    for number in range(votes_NM.shape[1]):
        own, mine = voted[:, number], votes_NM[:, number : number + 1]
        others = voted.copy()
        others[:, number] = False
        against = (others & (votes_NM != mine)).any(axis=1)
        found.append(Voter(*(float(part.mean()) for part in (own, own & others.any(axis=1), own & against))))
    return found
