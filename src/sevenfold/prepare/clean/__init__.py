"""Cleaning steps: each passes a row on, changes it, or drops it with a reason. One file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError
from sevenfold.prepare.dataset import REJECTED, Row
from sevenfold.registry import Registry
from sevenfold.schema import Component


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that does not go on.

    Args:
        reason: One word of the report: ``empty_reply``, ``duplicate``.
        problem: What is wrong with the one row, where the reason alone does not say it.
    """

    reason: str
    problem: str = ""


Outcome = Row | Dropped
"""What a step makes of a row: the same object when nothing changed."""


class Step(Component):
    """One cleaning step."""

    @property
    def alone(self) -> bool:
        """Whether what becomes of a row depends on that row alone, so that rows may be shared among processes.

        No is always right, and slower: such a step, and all behind it, runs where it sees every row in order.
        """
        return False

    @abstractmethod
    def start(self) -> Callable[[Row], Outcome]:
        """The function for one pass over the rows; what it remembers (rows seen) lives as long as the pass.

        A :class:`Counting` object where the step has figures of its own for the report.
        """

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of the files that the step reads, by their paths; a changed file means a new result."""
        return {}

    def hide(self, text: str) -> str:
        """What may be written into ``dropped.jsonl`` of a text; most steps have nothing to hide."""
        return text


class Single(Step):
    """A step that looks at each row by itself."""

    @property
    def alone(self) -> bool:
        """Yes."""
        return True


class Keyed(Step):
    """A step that drops each row whose key it met before, and does nothing else."""

    reason: ClassVar[str]
    """Why such a row is dropped."""

    @abstractmethod
    def key(self, row: Row) -> int:
        """128 bits by which the step knows a row."""

    def keys(self, rows: Sequence[Row], contents: Sequence[int]) -> list[int]:
        """The keys of some rows.

        Args:
            rows: The rows.
            contents: The key of each row's conversation, which is needed elsewhere too.
        """
        return [self.key(row) for row in rows]

    def start(self) -> Callable[[Row], Outcome]:
        """Remember what was seen."""
        seen: set[int] = set()

        def check(row: Row) -> Outcome:
            key = self.key(row)
            if key in seen:
                return Dropped(self.reason)
            seen.add(key)
            return row

        return check


class Counting(ABC):
    """A pass that counts what it finds; the report shows its figures under the step's name."""

    def __init__(self) -> None:
        self.figures: Counter[str] = Counter()

    @abstractmethod
    def __call__(self, row: Row) -> Outcome:
        """What the step makes of a row."""


def rewritten(row: Row, change: Callable[[str], str]) -> Row:
    """The row with every message's text changed, and that of a rejected answer; the same object when no text is."""
    messages, fields = row.conversation.messages, row.fields
    before = [message.content for message in messages]
    texts = list(map(change, before))
    rejected = change(fields[REJECTED]) if REJECTED in fields else ""
    if texts == before and rejected == fields.get(REJECTED, ""):
        return row
    # Every row of a large source may come by here; ``replace`` takes several times as long.
    changed = tuple(
        old if text == old.content else Message(old.role, text, old.weight)
        for text, old in zip(texts, messages, strict=True)
    )
    if REJECTED in fields:
        fields = fields | {REJECTED: rejected}
    return Row(Conversation(changed), row.origin, fields, row.made_by, row.parents)


def noted(row: Row, column: str, value: str) -> Row:
    """The row with what a step says of it in a column of its own.

    Raises:
        DataError: The row has such a column already, from the data or from another step.
    """
    if column in row.fields:
        raise DataError(
            f"the row has a column {column!r} already",
            where=row.origin,
            next_step="give the step another name with column: NAME, or leave the data's column out with prepare.keep",
        )
    return replace(row, fields={**row.fields, column: value})


STEPS = Registry(__name__, Step)
DEFAULT = ("unicode", "whitespace", "empty", "length", "duplicates")
"""The steps that are taken when the recipe names none, in order."""


def default_steps() -> list[Step]:
    """The default steps with their default settings."""
    return [STEPS.find(name)() for name in DEFAULT]
