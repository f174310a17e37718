"""What the judging page asks and is told: never which model gave an answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sevenfold.errors import DataError
from sevenfold.evaluate.human.contest import Contest, hashed
from sevenfold.evaluate.human.judgements import Judgement, Judgements, Scales, checked_choice, checked_scales
from sevenfold.evaluate.human.order import first_on_left
from sevenfold.page import desk
from sevenfold.page.answers import now, seconds_of

CRITERIA = "Which answer is better?"
MIRRORED = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Asked:
    """What a person is asked of each duel.

    Args:
        criteria: The question, and by what it is to be decided.
        scales: Marks from 1 to 5 that may be given to each answer.
        reference: Whether the row's own answer is shown.
        seed: Of the sides.
        overlap: The share of the duels that everyone is asked, 0 to 1.
    """

    criteria: str = CRITERIA
    scales: tuple[str, ...] = ()
    reference: bool = False
    seed: int = 17
    overlap: float = 1.0


class JudgeDesk(desk.Desk[Judgement]):
    """One annotator at work on a contest.

    Args:
        contest: The duels.
        judgements: Where the judgements go; others may append to the same file.
        annotator: Who judges.
        asked: What is asked.
    """

    page: ClassVar[Path] = Path(__file__).parent / "page"
    done_word: ClassVar[str] = "judged"

    def __init__(self, contest: Contest, judgements: Judgements, annotator: str, asked: Asked) -> None:
        self.contest, self.asked = contest, asked
        self.straight = first_on_left(contest.duels, asked.seed, annotator)
        for_all = [int(hashed("overlap", duel.origin), 16) / 2**64 < asked.overlap for duel in contest.duels]
        super().__init__([duel.origin for duel in contest.duels], judgements, annotator, for_all)

    def task(self) -> dict[str, Any]:
        """What the page needs once."""
        return {**about(self.asked), "annotator": self.annotator, "rows": len(self.origins), **self.after(-1)}

    def row(self, place: int) -> dict[str, Any]:
        """One duel as it is shown, with what holds of this annotator.

        Raises:
            DataError: There is no such duel.
        """
        shown = self.shown(self.checked(place))
        self.answers.refresh()
        mine = self.answers.of(shown["origin"], self.annotator)
        said = {"choice": mine.choice, "note": mine.note, "scales": mine.scales} if mine else None
        if mine and said and mine.left != shown["left_id"]:
            said |= {"choice": MIRRORED.get(mine.choice or "", mine.choice), "scales": turned(mine.scales)}
        return {**shown, "place": place, "answer": said, "mine": self.is_mine(place)}

    def shown(self, place: int) -> dict[str, Any]:
        """What of a duel a person sees."""
        duel, side = self.contest.duels[place], 0 if self.straight[place] else 1
        return {
            "origin": duel.origin,
            "prompt": duel.prompt,
            "left": duel.texts[side],
            "right": duel.texts[1 - side],
            "left_id": duel.digests[side],
            "reference": duel.reference if self.asked.reference else None,
        }

    def answer(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Keep a judgement; gives the duel to ask next.

        Args:
            sent: ``origin``, ``choice`` (None: passed over), ``scales``, ``seconds`` and ``note``.

        Raises:
            DataError: The duel or the choice is none.
        """
        place = self.contest.places[self.known(sent.get("origin"))]
        judgement = Judgement(
            self.origins[place],
            self.shown(place)["left_id"],
            checked_choice(sent.get("choice")),
            self.annotator,
            seconds_of(sent.get("seconds")),
            now(),
            str(sent.get("note") or "")[: desk.NOTE],
            checked_scales(sent.get("scales") or {}, self.asked.scales),
        )
        self.answers.append([judgement])
        return self.after(place)

    def passed(self, answer: Judgement) -> bool:
        """Whether no choice was made."""
        return answer.choice is None

    def place_of(self, origin: str) -> int | None:
        """Where a duel stands."""
        return self.contest.places.get(origin)


def about(asked: Asked) -> dict[str, Any]:
    """What is asked, as a page needs it."""
    return {"question": asked.criteria, "scales": list(asked.scales)}


def turned(scales: Scales) -> dict[str, list[int | None]]:
    """Marks with the sides exchanged."""
    return {name: marks[::-1] for name, marks in scales.items()}


def checked_asked(asked: Asked) -> Asked:
    """What is asked, if it can be.

    Raises:
        DataError: The share is none, or a scale has no name or stands twice.
    """
    if not 0 <= asked.overlap <= 1:
        raise DataError(f"the overlap {asked.overlap} is no share", expected="0 to 1, for example 0.2")
    if not all(asked.scales) or len(set(asked.scales)) < len(asked.scales):
        raise DataError(f"the scales {', '.join(asked.scales)!r} need a name each, and each its own")
    if not asked.criteria.strip():
        raise DataError("the criteria are empty", expected=CRITERIA)
    return asked
