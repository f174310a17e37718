"""What the votes on two models say: who is preferred, how sure that is, and how many more would settle it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sevenfold.evaluate.examined import Figure
from sevenfold.evaluate.human.contest import Meeting
from sevenfold.evaluate.human.needed import duels_needed, wilson
from sevenfold.evaluate.human.votes import Poll, Vote, scores
from sevenfold.evaluate.paired import Pairs, Verdict, compare

PREFERRED = Figure("preferred", "share of duels in which people prefer the model", binary=True)
RESAMPLES = 10_000


@dataclass(frozen=True)
class Preference:
    """Two models as people see them; ``second`` is the one whose rate is told.

    Args:
        first: The model that it is compared with.
        second: The model.
        duels: Duels that somebody judged; each counts once, with the mean of what was said of it.
        votes: Judgements.
        wins: Duels that ``second`` won by the majority of those who judged it.
        losses: Duels that it lost.
        ties: Duels that ended even.
        both_good: Votes that both are good.
        both_bad: Votes that both are bad.
        rate: The mean score of ``second``: 1 for a win, a half for a tie.
        wilson: The interval of the rate as of a share of the duels.
        bootstrap: The interval of the rate from duels drawn anew (bias-corrected and accelerated).
        confidence: The share of such intervals that hold the true rate; more than 95 % where several models meet.
        sign_test_p: The exact sign test of wins against losses.
        better: Whether ``second`` is preferred: clear where the bootstrap leaves a half out and the sign test agrees.
        equal: Rows that both answered alike, which nobody was asked about.
        rate_of_all: The rate with those counted as ties.
        detectable: How far from a half a true rate has to be, to show with so many duels four times out of five.
        more: How many more duels would settle it if people go on as they began; 0: it is settled; None: not with
            100,000.
    """

    first: str
    second: str
    duels: int
    votes: int
    wins: int
    losses: int
    ties: int
    both_good: int
    both_bad: int
    rate: float
    wilson: tuple[float, float]
    bootstrap: tuple[float, float]
    confidence: float
    sign_test_p: float
    better: Verdict
    equal: int
    rate_of_all: float
    detectable: float
    more: int | None


def preference(poll: Poll, meeting: Meeting, seed: int, confidence: float = 0.95) -> Preference | None:
    """The preference between two models; None where nobody judged them.

    Args:
        poll: The votes.
        meeting: The two models.
        seed: Of the duels that are drawn anew.
        confidence: The share of intervals that hold the true rate.
    """
    votes = poll.of_meeting(meeting)
    if not votes:
        return None
    of_duels = scores(votes, meeting)
    scores_N = np.array(list(of_duels.values()))
    count, rate = len(scores_N), float(scores_N.mean())
    found = compare(
        PREFERRED.name, Pairs(PREFERRED, 1 - scores_N, scores_N, np.ones(count)), seed, RESAMPLES, confidence
    )
    wins, losses = int((scores_N > 0.5).sum()), int((scores_N < 0.5).sum())
    said = Counter(vote.winner for vote in votes)
    equal = poll.contest.equal.get(meeting, 0)
    # The judged duels stand for all that could be asked; rows with equal answers come beside these.
    asked = sum(1 for duel in poll.contest.duels if {meeting, meeting[::-1]} & set(duel.meetings))
    return Preference(
        first=meeting[0],
        second=meeting[1],
        duels=count,
        votes=len(votes),
        wins=wins,
        losses=losses,
        ties=count - wins - losses,
        both_good=said["both"],
        both_bad=said["neither"],
        rate=rate,
        wilson=wilson(rate, count, confidence),
        bootstrap=((1 + found.interval[0]) / 2, (1 + found.interval[1]) / 2),
        confidence=confidence,
        sign_test_p=found.sign_test_p,
        better=found.better,
        equal=equal,
        rate_of_all=(rate * asked + 0.5 * equal) / (asked + equal),
        detectable=found.detectable / 2,
        more=more(wins, losses, count, found.better, confidence),
    )


def more(wins: int, losses: int, count: int, better: Verdict, confidence: float) -> int | None:
    """Duels that are still missing; at least one while the answer is unclear."""
    if better != "unclear":
        return 0
    decided = wins + losses
    needed = duels_needed(wins / decided, decided / count, confidence) if decided else None
    return None if needed is None else max(1, needed - count)


@dataclass(frozen=True)
class Annotator:
    """One who judged.

    Args:
        name: Who.
        votes: Judgements with a choice.
        ties: Of them, both good or both bad.
        left: The share of the left side among the others; None where there are none.
        rate: How often the second of two models was preferred, ties half; None where there are more models.
        wilson: Its interval.
        seconds: The median time of a judgement; None where none was measured.
    """

    name: str
    votes: int
    ties: int
    left: float | None
    rate: float | None
    wilson: tuple[float, float] | None
    seconds: float | None


def annotator(name: str, votes: Sequence[Vote], meeting: Meeting | None) -> Annotator:
    """What one said.

    Args:
        name: Who.
        votes: Their votes.
        meeting: The two models, where there are no more.
    """
    decided = [vote for vote in votes if not vote.tied]
    rate = float(np.mean([vote.score(meeting) for vote in votes])) if meeting else None
    times = [vote.seconds for vote in votes if vote.seconds > 0]
    return Annotator(
        name,
        len(votes),
        len(votes) - len(decided),
        float(np.mean([vote.went_left for vote in decided])) if decided else None,
        rate,
        wilson(rate, len(votes)) if rate is not None else None,
        float(np.median(times)) if times else None,
    )
