"""All that people's judgements say, for the run's ``human.json`` and its page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from sevenfold.evaluate.human.contest import Contest
from sevenfold.evaluate.human.judgements import Judgements
from sevenfold.evaluate.human.standing import (
    Agreement,
    Position,
    Scale,
    WithMetric,
    agreement,
    position,
    scales,
    with_metrics,
)
from sevenfold.evaluate.human.strength import Strength, strengths
from sevenfold.evaluate.human.verdict import Annotator, Preference, annotator, preference
from sevenfold.evaluate.human.votes import Poll, Vote, poll

HUMAN_FILE = "human.json"
POOR = 0.4
"""Krippendorff's alpha below which the annotators mean different things (he asks for 0.667 for tentative
conclusions; preferences of free text seldom reach that)."""
FEW = 10
"""Duels below which nothing is advised of a figure."""
OUTCOMES = {"yes": "people prefer {second} to {first}", "no": "people prefer {first} to {second}"}


@dataclass(frozen=True)
class Counts:
    """What was there.

    Args:
        rows: Rows that all models answered.
        duels: Pairs of different answers, which can be asked.
        judged: Duels that somebody judged.
        votes: Judgements with a choice.
        skipped: Judgements without one.
        of_other_answers: Judgements of answers that the runs do not give any more; they do not count.
        broken: Lines of the judgements file that are no judgements.
        unmatched: Rows that not all of the runs have.
        other_base: Rows to which another run's base answered otherwise than the base that is shown.
    """

    rows: int
    duels: int
    judged: int
    votes: int
    skipped: int
    of_other_answers: int
    broken: int
    unmatched: int
    other_base: int


@dataclass(frozen=True)
class Note:
    """What somebody wrote of a pair.

    Args:
        row: Where the row is from.
        annotator: Who wrote it.
        preferred: The model that they prefer (several where these answered alike), or ``both`` or ``neither``.
        note: What they wrote.
    """

    row: str
    annotator: str
    preferred: str
    note: str


@dataclass(frozen=True)
class Humans:
    """What people say of some models.

    Args:
        models: The models.
        said: The finding in a sentence.
        counts: What was judged.
        preferences: Every two models that somebody judged.
        strengths: One figure a model, where there are more than two.
        annotators: Who judged.
        agreement: How far they agree.
        position: The pull of the left side.
        seconds: The median time of a judgement, and the time of all; None: none was measured.
        metrics: Automatic metrics beside people.
        scales: Marks by model.
        notes: What people wrote.
        advice: What to do next.
    """

    models: tuple[str, ...]
    said: str
    counts: Counts
    preferences: list[Preference]
    strengths: list[Strength]
    annotators: list[Annotator]
    agreement: Agreement
    position: Position
    seconds: tuple[float, float] | None
    metrics: list[WithMetric]
    scales: list[Scale]
    notes: list[Note]
    advice: list[str]

    def as_json(self) -> dict[str, Any]:
        """The findings as ``human.json`` holds them."""
        return asdict(self)


def findings(contest: Contest, judgements: Judgements, seed: int, confidence: float = 0.95) -> Humans:
    """What the judgements of a contest say.

    Args:
        contest: The duels.
        judgements: What was said of them.
        seed: Of what is drawn anew.
        confidence: The chance that all intervals of the rates hold the true ones together, and that of each other one.

    Raises:
        MachineError: Several judged, and the package that computes their agreement is not installed.
    """
    found = poll(contest, judgements.held)
    # Several pairs of models are several chances of a false alarm: the intervals hold together (Bonferroni).
    judged = [meeting for meeting in contest.meetings if found.of_meeting(meeting)]
    own = 1 - (1 - confidence) / max(1, len(judged))
    both = [preference(found, meeting, seed, own) for meeting in judged]
    preferences = [one for one in both if one is not None]
    agreed, pulled, metrics = agreement(found), position(found.votes), with_metrics(found)
    return Humans(
        contest.models,
        sentence(preferences),
        counts_of(found, judgements.broken),
        preferences,
        ranked(found, seed, confidence) if len(contest.models) > 2 and found.votes else [],
        annotators(found),
        agreed,
        pulled,
        times(found),
        metrics,
        scales(found),
        [note_of(vote) for vote in found.votes if vote.note],
        advice(preferences, agreed, pulled, metrics),
    )


def counts_of(found: Poll, broken: int) -> Counts:
    """What was there."""
    contest = found.contest
    judged = len({vote.duel.origin for vote in found.votes})
    return Counts(
        contest.rows,
        len(contest.duels),
        judged,
        len(found.votes),
        found.skipped,
        found.of_other_answers,
        broken,
        contest.unmatched,
        contest.other_base,
    )


def annotators(found: Poll) -> list[Annotator]:
    """Each annotator's own figures."""
    meeting = found.contest.meetings[0] if len(found.contest.models) == 2 else None
    return [
        annotator(name, [vote for vote in found.votes if vote.annotator == name], meeting) for name in found.annotators
    ]


def note_of(vote: Vote) -> Note:
    """A note with what its writer prefers."""
    named = dict.fromkeys(vote.named(meeting) for meeting in vote.duel.meetings)
    return Note(vote.duel.row, vote.annotator, ", ".join(named), vote.note)


def ranked(found: Poll, seed: int, confidence: float) -> list[Strength]:
    """One figure a model from the votes on each row; a duel counts once, however many judged it."""
    models = found.contest.models
    rows: dict[str, int] = {}
    votes: dict[str, list[Vote]] = {}
    for vote in found.votes:
        votes.setdefault(vote.duel.origin, []).append(vote)
        rows.setdefault(vote.duel.row, len(rows))
    won_RKK = np.zeros((len(rows), len(models), len(models)))
    for of_duel in votes.values():
        for meeting in of_duel[0].duel.meetings:
            one, other = (models.index(model) for model in meeting)
            score = float(np.mean([vote.score(meeting) for vote in of_duel]))
            won_RKK[rows[of_duel[0].duel.row], other, one] += score
            won_RKK[rows[of_duel[0].duel.row], one, other] += 1 - score
    return strengths(models, won_RKK, seed, confidence)


def times(found: Poll) -> tuple[float, float] | None:
    """The median and the sum of the times that were measured, in seconds."""
    measured = [vote.seconds for vote in found.votes if vote.seconds > 0]
    return (float(median(measured)), float(sum(measured))) if measured else None


def sentence(preferences: list[Preference]) -> str:
    """What people prefer, with the figures."""
    if not preferences:
        return "Nobody has judged these answers yet."
    parts = []
    for one in preferences:
        words = OUTCOMES.get(one.better, "people see no clear difference between {first} and {second}")
        low, high = one.bootstrap
        figures = f"{one.second} wins {one.rate:.0%} of {one.duels} pairs, {low:.0%} to {high:.0%}"
        parts.append(f"{words.format(first=one.first, second=one.second)} ({figures})")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def advice(preferences: list[Preference], agreed: Agreement, pulled: Position, metrics: list[WithMetric]) -> list[str]:
    """What the figures ask for."""
    found = []
    for one in preferences:
        if one.more:
            found.append(
                f"{one.first} against {one.second}: about {one.more:,} more pairs would settle it if people go on as "
                "they began."
            )
        elif one.more is None:
            found.append(f"{one.first} against {one.second}: no number of pairs will part them; take them as equal.")
    if agreed.alpha is not None and agreed.duels >= FEW and agreed.alpha < POOR:
        found.append(
            f"The annotators agree little (alpha {agreed.alpha:.2f}): make the criteria clearer, and look at the pairs "
            "on which they differ."
        )
    if pulled.left + pulled.right >= FEW and pulled.sign_test_p < 0.01:
        side = "left" if pulled.left > pulled.right else "right"
        found.append(
            f"The {side} side wins more often than chance allows. The sides are drawn evenly, so it favours no model, "
            "but it hides differences: ask for more care."
        )
    poor = [one.metric for one in metrics if one.same is not None and one.duels >= FEW and one.wilson[0] <= 0.5]
    if poor:
        found.append(f"People do not bear out these metrics more than a coin would: {', '.join(poor)}.")
    return found
