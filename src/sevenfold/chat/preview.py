"""Rows as the trainer sees them: every token, and which of them are learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Protocol, TypeVar

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.console import Console

LEARNT, READ = "bold green", "dim"


@dataclass(frozen=True)
class View:
    """One sequence.

    Args:
        origin: Where its row came from.
        tokens: How many tokens it has.
        supervised: How many of them are learnt.
        over: How many are beyond the longest sequence that training takes; 0 when it fits.
        pieces: Runs of text and whether they are learnt.
    """

    origin: str
    tokens: int
    supervised: int
    over: int
    pieces: list[tuple[str, bool]]

    def as_json(self) -> dict[str, Any]:
        """The view as one JSON object."""
        return asdict(self)


class Example(Protocol):
    """A row: anything with an origin."""

    @property
    def origin(self) -> str:
        """Where it came from."""


R = TypeVar("R", bound=Example)


def views(
    rows: Iterable[R],
    sequences: Callable[[R, Encoder], list[TokenSequence]],
    encoder: Encoder,
    limit: int,
) -> Iterator[View]:
    """The sequences of some rows.

    Args:
        rows: What to show.
        sequences: How the objective turns a row into sequences.
        encoder: Turns text into tokens and back.
        limit: Tokens of the longest sequence that training takes.
    """
    for row in rows:
        for sequence in sequences(row, encoder):
            pieces = list(pieces_of(sequence, encoder))
            over = max(0, sequence.longest - limit)
            yield View(row.origin, len(sequence), sequence.supervised, over, pieces)


def pieces_of(sequence: TokenSequence, encoder: Encoder) -> Iterator[tuple[str, bool]]:
    """The text of each unbroken run of learnt, or only read, tokens."""
    runs = groupby(zip(sequence.ids, sequence.weights, strict=True), key=lambda pair: pair[1] > 0)
    for learnt, run in runs:
        yield encoder.decode([token for token, _ in run]), learnt


def show(view: View, console: Console) -> None:
    """Print a view in colour; without colour, what is learnt stands in double angle brackets."""
    console.heading(f"{view.origin}: {view.tokens} tokens, {view.supervised} learnt")
    for text, learnt in view.pieces:
        marked = f"⟪{text}⟫" if learnt and not console.terminal.is_terminal else text
        console.terminal.print(marked, style=LEARNT if learnt else READ, markup=False, end="", soft_wrap=True)
    console.say("")
    if view.over:
        console.warn(f"{view.over} tokens are beyond tune.max_length; tune.overlong says what happens to the row")
