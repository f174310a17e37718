"""What a proof is given and what it gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from sevenfold.errors import DataError
from sevenfold.prepare.dataset import Row

if TYPE_CHECKING:
    from pathlib import Path

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.deploy.service import Service
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.section import TuneSection
    from sevenfold.tune.tuned import Tuned

MANY, FEW = 64, 4
"""Rows that a proof on tokens reads, and rows that a proof on the network computes with."""


@dataclass(frozen=True)
class Proof:
    """One equality, measured.

    Args:
        name: Which of the seven.
        passed: Whether ``figure`` is within ``limit``.
        figure: The measured difference; 0 is equality.
        limit: The largest difference that passes.
        unit: What ``figure`` counts.
        what: What was compared, and on how much.
    """

    name: str
    passed: bool
    figure: float
    limit: float
    unit: str
    what: str

    @classmethod
    def of(cls, name: str, figure: float, limit: float, unit: str, what: str) -> Proof:
        """A proof that passes when the figure is a number within the limit."""
        return cls(name, bool(figure <= limit), float(figure), float(limit), unit, what)

    def as_json(self) -> dict[str, Any]:
        """The proof as the record keeps it."""
        return asdict(self)


@dataclass
class Case:
    """The user's own things, which a proof runs on.

    ``tuned`` and ``service`` are there once their stages ran.
    """

    section: TuneSection
    dataset: Dataset
    model: Model
    environment: Environment
    folder: Path
    tuned: Tuned | None = None
    service: Service | None = None

    def __post_init__(self) -> None:
        self.section = self.section.settled(self.dataset)

    def encoder(self) -> Encoder:
        """The encoder that training uses."""
        return self.model.encoder(self.section.method.lead(self.model.card.vocabulary))

    def rows(self, count: int) -> list[Row]:
        """The first training rows."""
        rows = self.dataset.head("train", count)
        if not rows:
            raise DataError("there is no training row to prove anything on", where=str(self.dataset.folder))
        return rows

    def short_sequences(self) -> list[TokenSequence]:
        """The shortest few sequences of the first rows that fit the limit: enough for an equality, quick to compute."""
        encoder = self.encoder()
        objective = self.section.objective
        made = (sequence for row in self.rows(MANY) for sequence in self.section.sequences(row, encoder))
        found = [
            with_reference(sequence) if objective.reference else sequence
            for sequence in map(objective.example, made)
            if sequence.supervised and sequence.longest <= self.section.max_length
        ]
        if not found:
            raise DataError(
                f"none of the first {MANY} training rows has a reply and fits tune.max_length",
                expected=f"at most {self.section.max_length} tokens",
                next_step="raise tune.max_length; `sevenfold preview RECIPE` shows tokens and mask",
            )
        return spread(sorted(found, key=len))[:FEW]


def with_reference(sequence: TokenSequence) -> TokenSequence:
    """The sequence with log-probabilities that no model said, different from token to token: an equality holds for any.

    With those of the model itself, what is learnt relative to them would begin at zero.
    """
    said = [-1.0 - token % 7 / 4 for token in sequence.ids]
    return replace(sequence, columns={**sequence.columns, "reference": said})


def spread(sequences: list[TokenSequence]) -> list[TokenSequence]:
    """The first of every task, then the second of each, and so on: all tasks are among the first few."""
    seen: Counter[int] = Counter()
    turns = []
    for sequence in sequences:
        seen[sequence.task] += 1
        turns.append(seen[sequence.task])
    return [sequence for _, sequence in sorted(zip(turns, sequences, strict=True), key=lambda pair: pair[0])]
