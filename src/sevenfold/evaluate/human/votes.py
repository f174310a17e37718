"""Judgements as votes for models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sevenfold.evaluate.human.contest import Contest, Duel, Meeting
from sevenfold.evaluate.human.desk import MIRRORED, turned
from sevenfold.evaluate.human.judgements import Judgement

Winner = Literal["first", "second", "both", "neither"]
WINNERS: dict[str, Winner] = {"left": "first", "right": "second", "both": "both", "neither": "neither"}
"""A choice to the text that it is for, where the first one stands on the left."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one annotator said of a duel, with the sides taken away.

    Args:
        duel: The duel.
        annotator: Who said it.
        winner: Which of the duel's two texts is better, or that both are good or bad.
        first_left: Whether the first text stood on the left.
        seconds: How long it took.
        scales: Scale to the marks of the first and the second text.
        note: What else was said.
    """

    duel: Duel
    annotator: str
    winner: Winner
    first_left: bool
    seconds: float
    scales: Mapping[str, Sequence[int | None]]
    note: str = ""

    @property
    def tied(self) -> bool:
        """Whether neither text is better."""
        return self.winner in ("both", "neither")

    @property
    def went_left(self) -> bool:
        """Whether the text on the left won."""
        return self.winner == ("first" if self.first_left else "second")

    def named(self, meeting: Meeting) -> str:
        """The vote as a name: the preferred model of a meeting, or ``both`` or ``neither``."""
        # A duel's first text may be that of the meeting's second model.
        models = meeting if meeting in self.duel.meetings else meeting[::-1]
        return {"first": models[0], "second": models[1]}.get(self.winner, self.winner)

    def score(self, meeting: Meeting) -> float:
        """1 where the second model of a meeting is preferred, 0 where the first is, a half for a tie."""
        return 0.5 if self.tied else float(self.named(meeting) == meeting[1])


@dataclass(frozen=True)
class Poll:
    """All that was said of a contest.

    Args:
        contest: The contest.
        votes: Judgements with a choice.
        skipped: Judgements without one.
        of_other_answers: Judgements of duels that the runs do not have any more.
    """

    contest: Contest
    votes: list[Vote]
    skipped: int
    of_other_answers: int

    @property
    def annotators(self) -> list[str]:
        """Who voted."""
        return sorted({vote.annotator for vote in self.votes})

    def of_meeting(self, meeting: Meeting) -> list[Vote]:
        """The votes on duels of two models."""
        turned_round = meeting[::-1]
        return [vote for vote in self.votes if {meeting, turned_round} & set(vote.duel.meetings)]


def scores(votes: Sequence[Vote], meeting: Meeting) -> dict[str, float]:
    """Each duel's mean score for the second model over those who voted on it."""
    of_duel: dict[str, list[float]] = {}
    for vote in votes:
        of_duel.setdefault(vote.duel.origin, []).append(vote.score(meeting))
    return {origin: sum(found) / len(found) for origin, found in of_duel.items()}


def poll(contest: Contest, held: Mapping[str, Mapping[str, Judgement]]) -> Poll:
    """The votes of what holds.

    Args:
        contest: The duels.
        held: For each duel what holds of each annotator.
    """
    votes, skipped, other = [], 0, 0
    for origin, of_duel in held.items():
        place = contest.places.get(origin)
        for judgement in of_duel.values():
            if place is None or judgement.left not in contest.duels[place].digests:
                other += 1
            elif judgement.choice is None:
                skipped += 1
            else:
                votes.append(vote_of(contest.duels[place], judgement))
    return Poll(contest, votes, skipped, other)


def vote_of(duel: Duel, judgement: Judgement) -> Vote:
    """A judgement of a duel as a vote."""
    straight = judgement.left == duel.digests[0]
    choice = str(judgement.choice)
    winner = WINNERS[choice if straight else MIRRORED.get(choice, choice)]
    scales = judgement.scales if straight else turned(judgement.scales)
    return Vote(duel, judgement.annotator, winner, straight, judgement.seconds, scales, judgement.note)
