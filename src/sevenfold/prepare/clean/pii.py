"""Personal data: found in every message by kind, and masked, flagged or dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from sevenfold.prepare.clean import Counting, Dropped, Outcome, Single, noted, rewritten
from sevenfold.prepare.dataset import REJECTED, Row
from sevenfold.prepare.pii import DETECTORS, LATIN_DIGITS, Detector, Found, default_detectors, search
from sevenfold.schema import Chosen

Action = Literal["mask", "drop", "flag", "count"]


class Pii(Single):
    """Personal data is masked as `[EMAIL_1]`, the same value by the same placeholder within a row, and counted by kind.

    Other columns that are kept with a row stay unless `columns` is true (a label or a group must not change); what is
    found in them is counted as `left in columns`. With mask and drop, `dropped.jsonl` is masked too.
    """

    main = "action"
    action: Action = Field(
        "mask",
        description="mask, drop (rows with any, as personal_data), flag (their kinds go into a column), or count.",
    )
    kinds: list[Annotated[Detector, Chosen(DETECTORS)]] = Field(
        default_factory=default_detectors,
        description="What is looked for; where two overlap, the earlier is taken. A detector of yours: {file: PATH}.",
    )
    allow: tuple[str, ...] = Field((), description="Values that are public and stay, as they are written.")
    columns: bool = Field(False, description="Whether the other columns that are kept with each row are masked too.")
    column: str = Field("pii", description="The column that flag writes: the kinds, by commas.")

    def start(self) -> Callable[[Row], Outcome]:
        """Look at every row."""
        return Search(self)

    def fingerprints(self) -> dict[str, str]:
        """Of what the detectors read."""
        return {file: value for kind in self.kinds for file, value in kind.fingerprints().items()}

    def look(self, text: str) -> list[Found]:
        """What is personal in a text."""
        found = search(text, self.kinds)
        return [one for one in found if text[slice(*one.span)] not in self.allow] if self.allow else found

    def hide(self, text: str) -> str:
        """The text masked, unless personal data is only counted or flagged."""
        return Masks(self)(text) if self.action in {"mask", "drop"} else text


class Masks:
    """The placeholders of one row, counted by kind.

    Args:
        step: What is looked for.
    """

    def __init__(self, step: Pii) -> None:
        self.step = step
        self.found: list[str] = []
        self.known: dict[str, dict[str, str]] = {}

    def __call__(self, text: str) -> str:
        """A text with its personal data masked."""
        parts, done = [], 0
        for kind, (start, end) in self.step.look(text):
            self.found.append(kind)
            parts += [text[done:start], self.placeholder(kind, text[start:end])]
            done = end
        return "".join((*parts, text[done:])) if parts else text

    def placeholder(self, kind: str, value: str) -> str:
        """The value's placeholder; spaces, case and the script of digits make no other value."""
        known = self.known.setdefault(kind, {})
        return known.setdefault(sameness(value), f"[{kind.upper()}_{len(known) + 1}]")


def sameness(value: str) -> str:
    """What two ways of writing one value share."""
    return "".join(character for character in value.translate(LATIN_DIGITS).casefold() if character not in " -()\u200c")


class Search(Counting):
    """One pass: what was found of each kind, in how many rows, and what was left in other columns."""

    def __init__(self, step: Pii) -> None:
        super().__init__()
        self.step = step

    def __call__(self, row: Row) -> Outcome:
        """Find, count, and do what the recipe says."""
        masks = Masks(self.step)
        masked = rewritten(row, masks)
        if self.step.columns:
            masked = self.other_columns(masked, masks)
        else:
            self.figures["left in columns"] += sum(len(self.step.look(text)) for text in others(row).values())
        self.figures.update(masks.found)
        self.figures["rows with any"] += bool(masks.found)
        return self.decided(row, masked, sorted(set(masks.found)))

    def other_columns(self, row: Row, masks: Masks) -> Row:
        """The row with its other columns masked; the same object when there is nothing in them."""
        changed = {name: masks(text) for name, text in others(row).items()}
        if changed.items() <= row.fields.items():
            return row
        return Row(row.conversation, row.origin, {**row.fields, **changed})

    def decided(self, row: Row, masked: Row, kinds: list[str]) -> Outcome:
        """The row masked, dropped, flagged or as it was."""
        if not kinds or self.step.action == "count":
            return row
        if self.step.action == "drop":
            return Dropped("personal_data")
        return masked if self.step.action == "mask" else noted(row, self.step.column, ",".join(kinds))


def others(row: Row) -> dict[str, str]:
    """The columns that are no answer to learn from."""
    return {name: text for name, text in row.fields.items() if name != REJECTED}
