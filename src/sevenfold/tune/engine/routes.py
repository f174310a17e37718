"""Which of several adapters each token of a pass goes to; known while the pass goes through the network."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sevenfold.tune.engine.passes import Pass


@dataclass(frozen=True, slots=True)
class Segment:
    """Tokens ``start`` to ``end`` of a pass, all of documents of one task, by the task's number."""

    task: int
    start: int
    end: int


Segments = tuple[Segment, ...]
WHATEVER = -1
"""The end of a segment that reaches as far as what goes through."""
_current: ContextVar[Segments | None] = ContextVar("segments", default=None)


def segments(batch: Pass) -> Segments:
    """The fewest stretches of a pass that each belong to one task; documents of a task lie together."""
    spans = zip(batch.tasks, pairwise(batch.bounds), strict=True)
    runs = [(task, [span for _, span in group]) for task, group in groupby(spans, key=lambda pair: pair[0])]
    return tuple(Segment(task, found[0][0], found[-1][1]) for task, found in runs)


def current() -> Segments | None:
    """The segments of the pass that goes through the network now; None where nobody said."""
    return _current.get()


def over(count: int) -> Segments | None:
    """The segments of the ``count`` tokens that go through now; None where nobody said."""
    found = current()
    return (Segment(found[0].task, 0, count),) if found and found[-1].end == WHATEVER else found


class Following(AbstractContextManager[None]):
    """Calls of the network inside the block are a pass with these segments; can be entered again and again."""

    def __init__(self, found: Segments | None) -> None:
        self.found = found
        self.before: list[Token[Segments | None]] = []

    def __enter__(self) -> None:
        self.before.append(_current.set(self.found))

    def __exit__(self, *_: object) -> None:
        _current.reset(self.before.pop())


def of_pass(batch: Pass) -> AbstractContextManager[None]:
    """Calls of the network inside the block are this pass; where its tasks are unknown, what holds outside holds on."""
    return Following(segments(batch)) if batch.tasks else nullcontext()


def all_of(task: int) -> AbstractContextManager[None]:
    """Whatever goes through the network inside the block is of one task."""
    return Following((Segment(task, 0, WHATEVER),))


def again() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """For ``torch.utils.checkpoint``: a block that is computed again in the backward pass has the segments of now."""
    return nullcontext(), Following(current())


def tokens(found: Sequence[Segment]) -> int:
    """How many tokens some segments cover."""
    return found[-1].end
