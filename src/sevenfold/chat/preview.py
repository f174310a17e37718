"""Rows as the trainer sees them: every token, and which of them are learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby, pairwise
from typing import Any, Protocol, TypeVar

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.console import Console

LEARNT, READ = "bold green", "dim"


@dataclass(frozen=True)
class Answer:
    """One of several answers behind one prompt.

    Args:
        tokens: How many tokens it has.
        supervised: How many of them are learnt.
        pieces: Runs of text and whether they are learnt.
        figures: What the objective says of all of its tokens alike, by name.
    """

    tokens: int
    supervised: int
    pieces: list[tuple[str, bool]]
    figures: dict[str, float]


@dataclass(frozen=True)
class View:
    """One sequence.

    Args:
        origin: Where its row came from.
        tokens: How many tokens it has.
        supervised: How many of them are learnt.
        over: How many are beyond the longest sequence that training takes; 0 when it fits.
        pieces: Runs of text and whether they are learnt; where there are answers, of what stands before them.
        answers: Answers that all continue what stands before them, each as if the others were not there; texts where
            nothing stands before them.
    """

    origin: str
    tokens: int
    supervised: int
    over: int
    pieces: list[tuple[str, bool]]
    answers: list[Answer] = field(default_factory=list)

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
            over = max(0, sequence.longest - limit)
            edges = [*sequence.branches, len(sequence)]
            pieces = list(pieces_of(part(sequence, 0, edges[0]), encoder))
            answers = [answer(part(sequence, *edge), encoder) for edge in pairwise(edges)]
            yield View(row.origin, len(sequence), sequence.supervised, over, pieces, answers)


def part(sequence: TokenSequence, start: int, end: int) -> TokenSequence:
    """Some tokens of a sequence, as one text."""
    columns = {name: values[start:end] for name, values in sequence.columns.items()}
    return TokenSequence(sequence.ids[start:end], sequence.weights[start:end], columns=columns)


def answer(branch: TokenSequence, encoder: Encoder) -> Answer:
    """One branch."""
    figures = {name: values[0] for name, values in branch.columns.items() if values and len(set(values)) == 1}
    return Answer(len(branch), branch.supervised, list(pieces_of(branch, encoder)), figures)


def pieces_of(sequence: TokenSequence, encoder: Encoder) -> Iterator[tuple[str, bool]]:
    """The text of each unbroken run of learnt, or only read, tokens."""
    runs = groupby(zip(sequence.ids, sequence.weights, strict=True), key=lambda pair: pair[1] > 0)
    for learnt, run in runs:
        yield encoder.decode([token for token, _ in run]), learnt


def show(view: View, console: Console) -> None:
    """Print a view in colour; without colour, what is learnt stands in double angle brackets."""
    what = "answer" if view.pieces else "text"
    how = "answers behind one prompt" if view.pieces else "texts side by side"
    several = f", {len(view.answers)} {how}" if view.answers else ""
    console.heading(f"{view.origin}: {view.tokens} tokens, {view.supervised} learnt{several}")
    if view.pieces:
        show_pieces(view.pieces, console)
    for number, given in enumerate(view.answers, 1):
        figures = "".join(f", {name} {value:g}" for name, value in given.figures.items())
        console.say(f"{what} {number}: {given.tokens} tokens, {given.supervised} learnt{figures}", style="cyan")
        show_pieces(given.pieces, console)
    if view.over:
        console.warn(f"{view.over} tokens are beyond tune.max_length; tune.overlong says what happens to the row")


def show_pieces(pieces: list[tuple[str, bool]], console: Console) -> None:
    """Print runs of text, and end the line."""
    for text, learnt in pieces:
        marked = f"⟪{text}⟫" if learnt and not console.terminal.is_terminal else text
        console.terminal.print(marked, style=LEARNT if learnt else READ, markup=False, end="", soft_wrap=True)
    console.say("")
