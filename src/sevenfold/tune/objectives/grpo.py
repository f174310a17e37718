"""Group relative policy optimisation: an answer is as good as it is better than the others to the same prompt."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sevenfold.tune.objectives import Figures
from sevenfold.tune.objectives._on_policy import REFERENCE, Drawn
from sevenfold.tune.objectives._surrogate import ADVANTAGE, OLD, Surrogate, k3, supposed_columns

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass

SCALE = "scale"
"""Column: what the mean over targets is multiplied by."""
TINY = 1e-4
"""Keeps the division by a group's standard deviation in bounds."""


class Grpo(Surrogate):
    r"""``min(r A, clip(r, 1 - clip, 1 + clip_high) A) - beta KL`` (Shao et al. 2024, arXiv 2402.03300).

    :math:`A_i = (R_i - mean(R)) / std(R)` over the answers to one prompt is the advantage of all tokens of answer i, so
    no network that predicts values is needed; r is a token's probability now, in parts of that when it was drawn; KL is
    the distance from the reference by the estimator k3.

    The paper's own form is ``mean: answers, beta: 0.04``. ``mean: constant, standardise: false`` is Dr. GRPO (Liu et
    al. 2025, arXiv 2503.20783), which prefers neither short right nor long wrong answers. ``mean: tokens`` with
    ``clip_high: 0.28`` is DAPO (Yu et al. 2025, arXiv 2503.14476): every token counts the same, and rare tokens may
    rise further. Groups whose answers are all worth the same teach nothing and are not read, unless ``beta`` pulls.
    """

    compares = True
    mean: Literal["answers", "tokens", "constant"] = Field(
        "tokens",
        description="What the loss is a mean over: answers, each with the mean of its tokens; all tokens; or answers "
        "with the sum of their tokens, divided by max_new_tokens.",
    )
    standardise: bool = Field(True, description="Divide advantages by the standard deviation of their group's rewards.")
    beta: float = Field(0.0, ge=0, description="Weight of the distance from the reference, nats; 0: none is computed.")

    @property
    def pull(self) -> float:
        """``beta``."""
        return self.beta

    def learnable(self, forward: Forward, drawn: list[Drawn]) -> tuple[list[TokenSequence], Figures]:
        """Sequences with the advantage of each answer, and the share of prompts whose answers differ in worth."""
        sequences = [self.weighed(one) for one in drawn]
        if self.repeats * self.minibatches > 1:
            read = [place for place, sequence in enumerate(sequences) if self.beta or tells(sequence)]
            found = self.now(forward, [sequences[place] for place in read])
            for place, values in zip(read, found, strict=True):
                sequences[place].columns[OLD] = values.tolist()
        if self.beta:
            for sequence, said in zip(sequences, self.of_reference(forward, sequences), strict=True):
                sequence.columns[REFERENCE] = said
        return sequences, {"telling prompts": fmean(map(tells, sequences))}

    def weighed(self, one: Drawn) -> TokenSequence:
        """A prompt with its answers: their advantages, and the weights of their tokens."""
        sequence, before = one.sequence(), [0.0] * len(one.prompt.ids)
        weights, values = [*before], [*before]
        for ids, advantage in zip(one.answers, advantages(one.rewards, self.standardise), strict=True):
            weights += [1.0 / len(ids) if self.mean == "answers" else 1.0] * len(ids)
            values += [advantage] * len(ids)
        columns = {OLD: [math.nan] * len(values), ADVANTAGE: values, SCALE: [1.0] * len(values)}
        return replace(sequence, weights=weights, columns=columns)

    def normalised(self, sequences: list[TokenSequence]) -> list[TokenSequence]:
        """The sequences that an update reads, and the factor that makes their mean the mean that is asked for."""
        kept = sequences if self.beta else [sequence for sequence in sequences if tells(sequence)]
        kept = kept or sequences
        # The mean is over all answers, also over those whose part in the sum is zero.
        factor = total(kept) / total(sequences)
        if self.mean == "constant":
            factor = total(kept) / (sum(len(sequence.branches) for sequence in sequences) * self.max_new_tokens)
        return [replace(sequence, columns={**sequence.columns, SCALE: [factor] * len(sequence)}) for sequence in kept]

    def supposed(self, sequence: TokenSequence) -> TokenSequence:
        """With columns for proofs."""
        columns = {**supposed_columns(sequence), SCALE: [0.5] * len(sequence)}
        return replace(sequence, columns=columns if self.beta else without(columns, REFERENCE))

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The surrogate and the distance from the reference, weighted and summed over targets."""
        each_N, _ = self.surrogate(outputs, batch)
        if self.beta:
            each_N = each_N + self.beta * k3(outputs, batch.columns[REFERENCE])
        return (batch.weights_N * batch.columns[SCALE] * each_N).sum()

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """Share of clipped targets, surprise, and the distance from the reference where there is one, nats."""
        found = self.watched(outputs, batch)
        if self.beta:
            found["distance"] = (batch.weights_N * k3(outputs, batch.columns[REFERENCE])).sum()
        return found


def advantages(rewards: list[float], standardise: bool) -> list[float]:
    """How much better each answer of a group is than their mean, perhaps in standard deviations (of a sample)."""
    middle = fmean(rewards)
    spread = stdev(rewards) + TINY if standardise else 1.0
    return [(reward - middle) / spread for reward in rewards]


def total(sequences: list[TokenSequence]) -> float:
    """The sum of all weights."""
    return sum(sum(sequence.weights) for sequence in sequences)


def tells(sequence: TokenSequence) -> bool:
    """Whether a prompt's answers differ in worth."""
    return any(sequence.columns[ADVANTAGE])


def without(columns: dict[str, list[float]], name: str) -> dict[str, list[float]]:
    """Columns but one."""
    return {kept: values for kept, values in columns.items() if kept != name}
