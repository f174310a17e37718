"""Kahneman-Tversky optimisation: learn from answers of which each is called good or bad by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.dataset import DESIRABLE, REJECTED
from sevenfold.tune.objectives import Collected, Figures, Objective
from sevenfold.tune.objectives._answers import (
    Judged,
    chosen_and_rejected,
    last_reply,
    stem,
    target_counts,
    text_weights,
)

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.conversation import Conversation
    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.methods import Moment

BASELINE = "baseline"
GOOD, BAD, STRAY = 1.0, 0.0, -1.0
"""What the column ``desirable`` says of an answer's tokens; a stray answer is another row's."""
WORDS = {"true": GOOD, "1": GOOD, "yes": GOOD, "good": GOOD, "false": BAD, "0": BAD, "no": BAD, "bad": BAD}
TOKENS = 1024
"""Tokens of a pass without gradients."""


class Kto(Objective):
    """``w_good (1 - sigmoid(beta (r - z)))`` of good answers, ``w_bad (1 - sigmoid(beta (z - r)))`` of bad ones.

    ``r`` is ``log p(answer) - log p0(answer)``, ``p0`` the model before its first step, and ``z`` how far the model has
    moved in all: ``max(0, mean log p/p0)`` of answers that belong to other prompts, a part of the step's rows, without
    a gradient (Ethayarajh et al. 2024, arXiv 2402.01306). Each prompt is read with its own answer and with that of the
    row before it, so the start is computed once for both.

    For ratings that come one by one, thumbs up and down; there need be no pairs. Rows: a conversation and a column that
    says true or false. A row of a pair (column ``rejected``) counts as a good answer and a bad one.
    """

    reference = True
    beta: float = Field(0.1, gt=0, description="How strongly the model is held to its start; higher: more strongly.")
    desirable: str = Field(DESIRABLE, description="The column that says true of a good answer and false of a bad one.")
    rejected: str = Field(REJECTED, description="The column with a second, bad answer, in rows that are pairs.")
    desirable_weight: float = Field(1.0, ge=0, description="The weight of good answers' losses.")
    undesirable_weight: float = Field(
        1.0,
        ge=0,
        description="The weight of bad answers' losses. Weight times number should differ by no more than a third.",
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """What is said of each answer."""
        return (DESIRABLE,)

    def judged(self, row: Row) -> tuple[Judged, list[float]]:
        """A row's answers, and what is said of each."""
        if self.desirable in row.fields:
            return last_reply(row), [read_word(row, self.desirable)]
        if self.rejected in row.fields:
            return chosen_and_rejected(row, self.rejected), [GOOD, BAD]
        raise DataError(
            f"a row has no column {self.desirable!r} that says whether its answer is good",
            where=row.origin,
            value=self.desirable,
            alternatives=row.fields,
            next_step="format: preference reads the columns prompt, completion and label; or name the column, "
            "tune.objective: {kto: {desirable: your_column}}",
        )

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """One sequence: the prompt, and behind it the answer or both."""
        judged, said = self.judged(row)
        found = judged.sequence(encoder)
        lengths = [end - start for start, end in zip(found.branches, [*found.branches[1:], len(found)], strict=True)]
        column = [BAD] * found.branches[0]
        for length, word in zip(lengths, said, strict=True):
            column += [word] * length
        return [replace(found, columns={DESIRABLE: column})]

    def said(self, row: Row) -> list[Conversation]:
        """The answers."""
        return self.judged(row)[0].conversations()

    def beside(self, sequences: list[TokenSequence], before: list[TokenSequence], limit: int) -> list[TokenSequence]:
        """The row with the answer of the row before it as one more branch; not where both ask the same."""
        if not before or not sequences:
            return sequences
        (own,), (other,) = sequences, before
        if stem(own) == stem(other):
            return sequences
        ends = [*other.branches[1:], len(other)]
        answer = other.ids[other.branches[0] : ends[0]][: limit - own.branches[0]]
        found = replace(own, ids=[*own.ids], weights=[*own.weights])
        found.branch(answer, 1.0)
        columns = {name: [*values, *[values[-1]] * len(answer)] for name, values in own.columns.items()}
        return [replace(found, columns={**columns, DESIRABLE: [*own.columns[DESIRABLE], *[STRAY] * len(answer)]})]

    def collect(self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], at: Moment) -> Collected:
        """The rows' own answers with the step's baseline."""
        baseline = self.baseline(forward, sequences, TOKENS)
        return Collected([[with_baseline(without_stray(one), baseline) for one in sequences]], {"kl": baseline})

    def baseline(self, forward: Forward, sequences: list[TokenSequence], budget: int) -> float:
        """``z``: the mean log-ratio of stray answers, at least 0, nats; 0 where there is none. No dropout."""
        import torch

        from sevenfold.tune.engine.passes import passes

        strays = [stray for one in sequences if (stray := only_stray(one))]
        if not strays:
            return 0.0
        training = forward.network.training
        forward.network.eval()
        try:
            with torch.no_grad():
                batch = [part.to(str(forward.device)) for part in passes(strays, budget)]
                ratios = [part.per_branch(forward(part) - part.columns["reference"]) for part in batch]
        finally:
            forward.network.train(training)
        return max(0.0, float(torch.cat(ratios).mean()))

    def example(self, sequence: TokenSequence) -> TokenSequence:
        """A sequence with a baseline that no step computed; an equality holds for any."""
        return with_baseline(without_stray(sequence), 0.5)

    def validation(
        self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], budget: int
    ) -> tuple[float, Figures]:
        """The mean loss with the baseline of all these rows."""
        baseline = self.baseline(forward, sequences, budget)
        own = [with_baseline(without_stray(one), baseline) for one in sequences]
        loss, figures = super().validation(forward, rows, own, budget)
        return loss, {"kl": baseline, **figures}

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The answers' losses, weighted and summed."""
        import torch

        counts_B = target_counts(batch)
        good_B = batch.per_branch(batch.columns[DESIRABLE]) > 0
        distances_B = self.ratios(outputs, batch) - batch.per_branch(batch.columns[BASELINE]) / counts_B
        losses_B = 1 - torch.sigmoid(self.beta * torch.where(good_B, distances_B, -distances_B))
        weights_B = torch.where(good_B, self.desirable_weight, self.undesirable_weight)
        return (text_weights(batch) * weights_B * losses_B).sum()

    def weight(self, batch: Pass) -> float:
        """The sum of the answers' weights, those of good and bad left out."""
        return float(text_weights(batch).sum())

    def ratios(self, outputs: Tensor, batch: Pass) -> Tensor:
        """How much likelier each answer is than at the start, nats, ``B``."""
        return batch.per_branch(outputs - batch.columns["reference"])

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """The share of answers whose reward has the right sign, and what good and bad ones add to the mean reward."""
        weights_B, good_B = text_weights(batch), batch.per_branch(batch.columns[DESIRABLE]) > 0
        rewards_B = self.beta * self.ratios(outputs, batch)
        return {
            "accuracy": (weights_B * ((rewards_B > 0) == good_B)).sum(),
            "good": (weights_B * good_B * rewards_B).sum(),
            "bad": (weights_B * ~good_B * rewards_B).sum(),
        }


def read_word(row: Row, column: str) -> float:
    """What a row's column says of its answer.

    Raises:
        DataError: It is no such word.
    """
    word = row.fields[column].strip().lower()
    if word not in WORDS:
        raise DataError(
            f"the column {column!r} of a row says {row.fields[column]!r}",
            where=row.origin,
            value=word,
            alternatives=WORDS,
            expected="whether its answer is good: true or false",
        )
    return WORDS[word]


def without_stray(sequence: TokenSequence) -> TokenSequence:
    """A sequence without another row's answer, which is its last branch."""
    end = sequence.branches[-1]
    if sequence.columns[DESIRABLE][-1] != STRAY:
        return sequence
    return replace(
        sequence,
        ids=sequence.ids[:end],
        weights=sequence.weights[:end],
        branches=sequence.branches[:-1],
        columns={name: values[:end] for name, values in sequence.columns.items()},
    )


def only_stray(sequence: TokenSequence) -> TokenSequence | None:
    """A prompt with another row's answer alone; None where it has none."""
    return sequence.texts()[-1] if sequence.columns[DESIRABLE][-1] == STRAY else None


def with_baseline(sequence: TokenSequence, baseline: float) -> TokenSequence:
    """A sequence with the baseline at every token."""
    return replace(sequence, columns={**sequence.columns, BASELINE: [baseline] * len(sequence)})
