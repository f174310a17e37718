"""Several guards as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import SevenfoldError
from sevenfold.guard import GUARDS, Flag, Guard, Judgement, OpenGuard, Side
from sevenfold.schema import Chosen

Rule = Literal["any", "all", "majority"]
RULES: dict[Rule, Callable[[int, int], bool]] = {
    "any": lambda unsafe, guards: unsafe > 0,
    "all": lambda unsafe, guards: unsafe == guards,
    "majority": lambda unsafe, guards: 2 * unsafe > guards,
}


class Combined(Guard):
    """Several guards that vote; one that fails votes as ``when_failing`` says, and is counted."""

    main = "guards"
    guards: tuple[Annotated[Guard, Chosen(GUARDS)], ...] = Field(min_length=1, description="The guards that vote.")
    unsafe_when: Rule = Field("any", description="Unsafe when any guard says so, all of them, or more than half.")
    threshold: float | None = Field(
        None, ge=0, le=1, description="Score from which a guard's vote is unsafe; not given: as each guard decides."
    )
    when_failing: Literal["closed", "open"] = Field(
        "closed", description="How a guard that cannot judge votes: closed, unsafe; open, not at all."
    )

    def open(self) -> OpenCombined:
        """All guards; one that cannot be opened stops the work, since the user can mend that before it runs."""
        opened: list[OpenGuard] = []
        try:
            for guard in self.guards:
                opened.append(guard.open())
        except SevenfoldError:
            for one in opened:
                one.close()
            raise
        return OpenCombined(self, opened)


class OpenCombined(OpenGuard):
    """Guards that are ready to vote.

    Args:
        rule: How the votes count.
        opened: Who votes.
    """

    def __init__(self, rule: Combined, opened: Sequence[OpenGuard]) -> None:
        self.rule, self.opened = rule, opened
        self.names = [GUARDS.name_of(guard) for guard in rule.guards]
        self.failures = dict.fromkeys(self.names, 0)
        """Conversations that a guard could not judge, by its name."""

    def judge(self, conversations: Sequence[Conversation], side: Side = "prompt") -> list[Judgement]:
        """Every guard's judgements, and their vote."""
        by_guard = [self.asked(place, conversations, side) for place in range(len(self.opened))]
        return [self.vote([judged[row] for judged in by_guard]) for row in range(len(conversations))]

    def asked(self, place: int, conversations: Sequence[Conversation], side: Side) -> list[Judgement]:
        """One guard's judgements; an error of its own is a failure on each conversation."""
        name = self.names[place]
        try:
            found = self.opened[place].judge(conversations, side)
        except SevenfoldError as error:
            found = [Judgement(False, 1.0, why=error.problem, failed=True) for _ in conversations]
        self.failures[name] += sum(one.failed for one in found)
        return found

    def vote(self, judged: Sequence[Judgement]) -> Judgement:
        """The votes on one conversation.

        The score is the largest of the guards that voted for ``any``, the smallest for ``all``, the middle one for
        ``majority``: the score that, cut at one threshold, gives the same vote.
        """
        closed = self.rule.when_failing == "closed"
        voting = [one for one in judged if closed or not one.failed]
        failed = any(one.failed for one in judged)
        if not voting:
            return Judgement(True, 0.0, why=self.reasons(judged), failed=True)
        unsafe = RULES[self.rule.unsafe_when](sum(map(self.against, voting)), len(voting))
        categories: dict[str, Flag] = {}
        for flag in (flag for one in voting if self.against(one) for flag in one.categories):
            before = categories.get(flag.name)
            if before is None or (flag.probability or 0) > (before.probability or 0):
                categories[flag.name] = flag
        refusals = [one.refused for one in voting if one.refused is not None]
        return Judgement(
            not unsafe,
            self.score(sorted(one.score for one in voting)),
            tuple(categories.values()) if unsafe else (),
            any(refusals) if refusals else None,
            self.reasons(judged),
            failed,
        )

    def against(self, judgement: Judgement) -> bool:
        """Whether a judgement is a vote for unsafe."""
        if judgement.failed or self.rule.threshold is None:
            return not judgement.safe
        return judgement.score >= self.rule.threshold

    def score(self, scores: list[float]) -> float:
        """The score that stands for the vote, from sorted ones."""
        place = {"any": -1, "all": 0, "majority": (len(scores) - 1) // 2}[self.rule.unsafe_when]
        return scores[place]

    def reasons(self, judged: Sequence[Judgement]) -> str:
        """What each guard says."""
        said = [
            f"{name}: {'could not judge: ' if one.failed else ''}{one.why or ('safe' if one.safe else 'unsafe')}"
            for name, one in zip(self.names, judged, strict=True)
        ]
        return "; ".join(said)

    def close(self) -> None:
        """Give back what all of them hold."""
        for one in self.opened:
            one.close()
