"""Rows through a tokenizer, counted."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.console import Console
from sevenfold.errors import MachineError, SevenfoldError
from sevenfold.findings import Findings
from sevenfold.prepare.audits._sample import Sample
from sevenfold.prepare.audits._scripts import main_script, scripts_of
from sevenfold.prepare.clean.language import Language
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.prepare.fit.cost import Costs

Sequences = Callable[[Row, Encoder], list[TokenSequence]]
ROWS = 2000
"""Rows that are looked at unless more are asked for: enough for a share of 1 % to be seen, and soon done."""


@dataclass
class Measured:
    """What is known of the rows as tokens.

    Args:
        limit: Tokens of the longest sequence that training takes.
        costs: What each language costs.
        lengths: Tokens of every sequence, before anything is cut.
        prompt: Tokens of each row that are only read.
        reply: Tokens of each row that are learnt.
        cut: Tokens beyond the limit, read and learnt.
        over: Rows with a sequence over the limit.
        lost: Rows of which no learnt token would be left.
        roles: Tokens by role, without the template's own.
        over_roles: The same of the rows over the limit alone.
        first: The first rows over the limit, with their tokens.
        refused: Rows that cannot be tokenised, by what is said of them.
    """

    limit: int
    costs: Costs
    lengths: array[int] = field(default_factory=lambda: array("I"))
    prompt: array[int] = field(default_factory=lambda: array("I"))
    reply: array[int] = field(default_factory=lambda: array("I"))
    cut: Counter[str] = field(default_factory=Counter)
    over: int = 0
    lost: int = 0
    roles: Counter[str] = field(default_factory=Counter)
    over_roles: Counter[str] = field(default_factory=Counter)
    first: list[tuple[str, int]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, sequences: list[TokenSequence], tell: Callable[[str], str]) -> None:
        """Count a row."""
        learnt = sum(sequence.supervised for sequence in sequences)
        self.lengths.extend(sequence.longest for sequence in sequences)
        self.reply.append(learnt)
        self.prompt.append(sum(map(len, sequences)) - learnt)
        found = self.contents(row, tell)
        self.roles.update(found)
        longest = max((sequence.longest for sequence in sequences), default=0)
        if longest > self.limit:
            self.count_cut(row, sequences, longest)
            self.over_roles.update(found)

    def contents(self, row: Row, tell: Callable[[str], str]) -> Counter[str]:
        """Tokens of a row's messages by role."""
        found: Counter[str] = Counter()
        for message in row.conversation.messages:
            ids = self.costs.encoder.encode(message.content)
            found[message.role] += len(ids)
            self.costs.add(tell(message.content), message.content, ids)
        return found

    def count_cut(self, row: Row, sequences: list[TokenSequence], longest: int) -> None:
        """Count what is beyond the limit of a row."""
        self.over += 1
        kept = 0
        for sequence in sequences:
            for text in sequence.texts():
                beyond = text.weights[self.limit :]
                learnt = len(beyond) - beyond.count(0.0)
                self.cut["learnt"] += learnt
                self.cut["read"] += len(beyond) - learnt
                kept += text.supervised - learnt
        self.lost += not kept
        self.first += [(row.origin, longest)] * (len(self.first) < 10)


def fit(
    dataset: Dataset,
    encoder: Encoder,
    limit: int,
    console: Console,
    sequences: Sequences | None = None,
    rows: int | None = ROWS,
) -> Findings:
    """How a dataset fits a tokenizer, before anything is cut.

    Args:
        dataset: The rows.
        encoder: The tokenizer with its template.
        limit: Tokens of the longest sequence that training takes.
        console: Where progress goes.
        sequences: What training makes of a row; not given: each conversation as it is.
        rows: Rows that are looked at, evenly spaced; None: all.

    Returns:
        The findings, which ``tokens.json`` and the report hold.
    """
    from sevenfold.prepare.fit.said import findings

    sample, found = Sample(dataset, rows), Measured(limit, Costs(encoder))
    make = sequences or (lambda row, encoder: encoder.sequences(row.conversation))
    tell, shown = teller(), list[Row]()
    with console.task("tokens (rows)", sample.size) as task:
        for _, row in sample:
            try:
                found.add(row, make(row, encoder), tell)
            except SevenfoldError as error:
                found.refused[error.problem] += 1
            else:
                shown += [row] * (len(shown) < 3)
            task.advance(1)
    return findings(found, sample, shown, make)


def teller() -> Callable[[str], str]:
    """What tells a text's language; where the package is missing, its script."""
    step = Language()
    try:
        step.start()
    except MachineError:
        return lambda text: main_script(scripts_of(text))
    return step.of
