"""The judgements file.

A line is ``{"origin", "left", "choice", "annotator", "seconds", "at", "note", "scales"}``. ``origin`` names the duel
and ``left`` the answer that stood on the left, by hashes that say nothing of the models; ``choice`` is ``left``,
``right``, ``both`` (both are good), ``neither`` (both are bad), or null for a duel that was passed over. How lines are
kept: :mod:`sevenfold.page.answers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sevenfold.errors import DataError
from sevenfold.page.answers import Log, now

Choice = Literal["left", "right", "both", "neither"]
CHOICES: tuple[Choice, ...] = get_args(Choice)
LOWEST, HIGHEST = 1, 5
Scales = Mapping[str, list[int | None]]
"""Scale to the marks of the left and the right answer, 1 to 5; None: none was given."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person said of a duel.

    Args:
        origin: The duel.
        left: The digest of the answer that stood on the left.
        choice: The better one; None: passed over.
        annotator: Who said it.
        seconds: How long it took.
        at: When, ISO 8601.
        note: What else was said.
        scales: Marks of each answer.
    """

    origin: str
    left: str
    choice: Choice | None
    annotator: str = ""
    seconds: float = 0.0
    at: str = ""
    note: str = ""
    scales: Scales = field(default_factory=dict)

    def same(self, other: Judgement | None) -> bool:
        """Whether two judgements say the same of the same side."""
        mine = (self.left, self.choice, self.note, self.scales)
        return other is not None and mine == (other.left, other.choice, other.note, other.scales)


class Judgements(Log[Judgement]):
    """The judgements in a file."""

    def answer_of(self, row: Any) -> Judgement:
        """The judgement that a line says.

        Raises:
            DataError: It is none.
        """
        if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("origin", "left")):
            raise DataError("the line is no judgement", expected='{"origin": "...", "left": "...", "choice": "left"}')
        seconds = row.get("seconds")
        return Judgement(
            row["origin"],
            row["left"],
            checked_choice(row.get("choice")),
            str(row.get("annotator") or ""),
            float(seconds) if isinstance(seconds, int | float) else 0.0,
            str(row.get("at") or ""),
            str(row.get("note") or ""),
            checked_scales(row.get("scales") or {}),
        )

    def again(self, about: Judgement, before: Judgement | None) -> Judgement:
        """What held before, or a duel that was passed over."""
        if before is None:
            return Judgement(about.origin, about.left, None, about.annotator, 0.0, now())
        return Judgement(
            before.origin, before.left, before.choice, before.annotator, 0.0, now(), before.note, before.scales
        )


def checked_choice(choice: object) -> Choice | None:
    """A choice.

    Raises:
        DataError: It is none.
    """
    if choice is None:
        return None
    found = next((one for one in CHOICES if one == choice), None)
    if found is None:
        raise DataError(f"{choice!r} is no choice", value=str(choice), alternatives=CHOICES)
    return found


def checked_scales(scales: object, names: tuple[str, ...] | None = None) -> dict[str, list[int | None]]:
    """Marks of the left and the right answer on each scale; scales without a mark are left out.

    Args:
        scales: What was sent.
        names: The scales that there are; None: any.

    Raises:
        DataError: They are no marks, or of a scale that there is not.
    """
    if not isinstance(scales, dict):
        raise DataError(f"the scales {scales!r} are none", expected='{"fluency": [4, 3]}')
    found = {}
    for name, marks in scales.items():
        if not isinstance(name, str) or (names is not None and name not in names):
            raise DataError(f"there is no scale {name!r}", value=str(name), alternatives=names or ())
        if not isinstance(marks, list) or len(marks) != 2 or not all(map(is_mark, marks)):
            raise DataError(f"{marks!r} are no marks on {name}", expected=f"two of {LOWEST} to {HIGHEST}, or null")
        if marks != [None, None]:
            found[name] = marks
    return found


def is_mark(value: object) -> bool:
    """Whether a value is a mark or the lack of one."""
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and LOWEST <= value <= HIGHEST)
