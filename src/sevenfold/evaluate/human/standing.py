"""How far the judgements can be believed: agreement, the pull of a side, and what automatic metrics say of the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sevenfold.agreement import alpha, cohen, percent
from sevenfold.evaluate.human.contest import Meeting
from sevenfold.evaluate.human.needed import wilson
from sevenfold.evaluate.human.votes import Poll, Vote, scores
from sevenfold.evaluate.paired import sign_test


@dataclass(frozen=True)
class Agreement:
    """What several annotators have in common.

    Args:
        duels: Duels that two or more judged.
        same: The share of pairs of judgements of one duel that are the same, ties being one thing; None: no pairs.
        alpha: Krippendorff's alpha for names; None where it is not defined.
        kappas: Two annotators, Cohen's kappa (None: not defined) and the duels that both judged.
    """

    duels: int
    same: float | None
    alpha: float | None
    kappas: list[tuple[str, str, float | None, int]]


def agreement(poll: Poll) -> Agreement:
    """How far the annotators agree on which text is better.

    Raises:
        MachineError: The package that computes alpha is not installed.
    """
    # A duel's first text is that of the model that comes first, so that one word means one model where there are two.
    of_duel: dict[str, dict[str, str]] = defaultdict(dict)
    for vote in poll.votes:
        of_duel[vote.duel.origin][vote.annotator] = "tie" if vote.tied else vote.winner
    shared = [found for found in of_duel.values() if len(found) > 1]
    names = poll.annotators
    ratings = [[found.get(name) for name in names] for found in shared]
    columns = {name: [row[place] for row in ratings] for place, name in enumerate(names)}
    kappas = [(one, other, *cohen(columns[one], columns[other])) for one, other in combinations(names, 2)]
    return Agreement(len(shared), percent(ratings), alpha(ratings), [each for each in kappas if each[3]])


@dataclass(frozen=True)
class Position:
    """The pull of the left side; without one it wins half of the decided votes, as the sides are drawn.

    Args:
        left: Votes for the left answer.
        right: Votes for the right one.
        share: Of the left among both; None where there are none.
        wilson: Its interval.
        sign_test_p: The exact test against a half.
    """

    left: int
    right: int
    share: float | None
    wilson: tuple[float, float]
    sign_test_p: float


def position(votes: Sequence[Vote]) -> Position:
    """How often the left side won."""
    decided = [vote for vote in votes if not vote.tied]
    left = sum(vote.went_left for vote in decided)
    share = left / len(decided) if decided else None
    return Position(
        left, len(decided) - left, share, wilson(share or 0.0, len(decided)), sign_test(left, len(decided) - left)
    )


@dataclass(frozen=True)
class WithMetric:
    """An automatic metric beside people.

    Args:
        metric: The metric.
        duels: Duels in which people prefer one answer and the metric too.
        same: Of those, the share in which it is the same one; None where there are none.
        wilson: Its interval. One that holds a half says that the metric may as well be a coin.
        undecided: Duels that people decided and to whose answers the metric gives the same value.
    """

    metric: str
    duels: int
    same: float | None
    wilson: tuple[float, float]
    undecided: int


def with_metrics(poll: Poll) -> list[WithMetric]:
    """Each metric of the first run that has a value for every row, beside the majority of people."""
    return [with_metric(poll, name, 1 if way == "higher" else -1) for name, way in poll.contest.directions.items()]


def with_metric(poll: Poll, name: str, sign: int) -> WithMetric:
    """One metric; ``sign`` is -1 where lower is better."""
    alike: list[bool] = []
    undecided = 0
    for meeting in poll.contest.meetings:
        gains = gains_of(poll, meeting, name)
        for origin, score in scores(poll.of_meeting(meeting), meeting).items():
            if score == 0.5 or origin not in gains:
                continue
            if gains[origin] == 0:
                undecided += 1
            else:
                alike.append((sign * gains[origin] > 0) == (score > 0.5))
    share = sum(alike) / len(alike) if alike else None
    return WithMetric(name, len(alike), share, wilson(share or 0.0, len(alike)), undecided)


def gains_of(poll: Poll, meeting: Meeting, metric: str) -> dict[str, float]:
    """The metric's value for the second model less that for the first, by duel."""
    first, second = meeting
    return {
        duel.origin: duel.values[second][metric] - duel.values[first][metric]
        for duel in poll.contest.duels
        if all(metric in duel.values.get(model, {}) for model in meeting)
    }


@dataclass(frozen=True)
class Scale:
    """The marks of one model on a scale.

    Args:
        scale: The scale.
        model: The model.
        marks: How many.
        mean: Their mean, 1 to 5.
        interval: The mean give or take two standard errors of it, over duels.
    """

    scale: str
    model: str
    marks: int
    mean: float
    interval: tuple[float, float]


def scales(poll: Poll) -> list[Scale]:
    """Every scale's marks by model; where models answered alike the mark is of each of them."""
    given: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for vote in poll.votes:
        sides = [{meeting[side] for meeting in vote.duel.meetings} for side in (0, 1)]
        for scale, marks in vote.scales.items():
            for models, mark in zip(sides, marks, strict=True):
                for model in models if mark is not None else ():
                    given[scale, model][vote.duel.origin].append(int(mark or 0))
    found = []
    for (scale, model), of_duel in sorted(given.items()):
        means = np.array([np.mean(marks) for marks in of_duel.values()])
        error = float(means.std(ddof=1)) / len(means) ** 0.5 if len(means) > 1 else 0.0
        mean = float(means.mean())
        found.append(
            Scale(scale, model, sum(map(len, of_duel.values())), mean, (mean - 1.96 * error, mean + 1.96 * error))
        )
    return found
