"""Proximal policy optimisation with a value head."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.objectives import Figures
from sevenfold.tune.objectives._on_policy import REFERENCE, Drawn
from sevenfold.tune.objectives._surrogate import ADVANTAGE, OLD, Surrogate, supposed_columns

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.load.model import Model
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass

VALUE, RETURN = "value", "return"
"""Columns: what the value head said when the answer was drawn, and what it should have said."""


class Ppo(Surrogate):
    r"""``min(r A, clip(r) A) - value_weight (V - return)^2 / 2``, A by generalised advantage estimation.

    (Schulman et al. 2017, arXiv 1707.06347; for language models Ziegler et al. 2019, arXiv 1909.08593.) Each token is
    an action. Its reward is ``-kl (log p - log p_reference)``, at the last token plus what the answer is worth;
    :math:`\delta_t = r_t + \gamma V_{t+1} - V_t` and :math:`A_t = \sum_l (\gamma\lambda)^l \delta_{t+l}` (Schulman et
    al. 2015, arXiv 1506.02438), ``return`` is :math:`A_t + V_t`, and A is normalised over all tokens that were drawn. V
    is a linear head on the states that tokens are predicted from; ``value_clip`` keeps it from moving further than
    that from what it said when the answers were drawn.

    Normalised advantages, many answers a step (``tune.batch``, ``answers_each``) and a reference that follows
    (``reference_decay``) are what made it better than DPO in the comparison of Xu et al. (2024, arXiv 2404.10719).
    """

    repeats: int = Field(2, ge=1, description="Times that drawn answers are learnt from before new ones are drawn.")
    answers_each: int = Field(4, ge=1, description="Answers that are drawn to each prompt.")
    kl: float = Field(
        0.02, ge=0, description="Reward taken off for each nat that a token is likelier than in the reference; 0: none."
    )
    discount: float = Field(1.0, gt=0, le=1, description="Gamma: what a reward one token later is worth.")
    smoothing: float = Field(
        0.95, ge=0, le=1, description="Lambda: 1 trusts what came alone, 0 the value of the next token alone."
    )
    value_weight: float = Field(0.1, ge=0, description="Weight of the value head's squared error.")
    value_clip: float | None = Field(0.2, gt=0, description="How far a value may move in one step; null: any way.")
    normalise: bool = Field(True, description="Give the advantages of a step the mean 0 and the standard deviation 1.")

    @property
    def pull(self) -> float:
        """``kl``."""
        return self.kl

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The judges, the tokenizer, the reference's weights, and the value head."""
        from sevenfold.tune.objectives._beside import WithValue

        start = network if self.pull else None
        return WithValue(self.rewards, model.encoder(), start, self.reference_decay, model.card.hidden)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """Log-probability and value of each target, ``N x 2``, float32."""
        import torch

        beside: Any = forward.own
        states_ND, logprobs_N = forward.states_and_logprobs(batch, self.temperature)
        values_N = beside.value(states_ND.float())[:, 0]
        return torch.stack([logprobs_N, values_N], 1)

    def learnable(self, forward: Forward, drawn: list[Drawn]) -> tuple[list[TokenSequence], Figures]:
        """Sequences with each token's advantage and return, and the distance from the reference, nats a token."""
        sequences = [one.sequence() for one in drawn]
        now = self.now(forward, sequences)
        references = self.of_reference(forward, sequences) if self.kl else [said[:, 0].tolist() for said in now]
        made, gaps = [], []
        for one, sequence, said, reference in zip(drawn, sequences, now, references, strict=True):
            old, values = said[:, 0].tolist(), said[:, 1].tolist()
            found = [0.0] * len(sequence)
            for worth, (start, end) in zip(one.rewards, pairwise([*sequence.branches, len(sequence)]), strict=True):
                gap = [a - b for a, b in zip(old[start:end], reference[start:end], strict=True)]
                rewards = [-self.kl * nats for nats in gap]
                rewards[-1] += worth
                found[start:end] = estimated(rewards, values[start:end], self.discount, self.smoothing)
                gaps += gap
            returns = [advantage + value for advantage, value in zip(found, values, strict=True)]
            made.append(replace(sequence, columns={OLD: old, VALUE: values, ADVANTAGE: found, RETURN: returns}))
        if self.normalise:
            made = normalised(made)
        return made, {"distance": fmean(gaps)} if self.kl else {}

    def supposed(self, sequence: TokenSequence) -> TokenSequence:
        """With columns for proofs."""
        columns = supposed_columns(sequence)
        del columns[REFERENCE]
        places = range(len(sequence))
        more = {VALUE: [place % 3 / 4 for place in places], RETURN: [1.0 - place % 5 / 4 for place in places]}
        return replace(sequence, columns={**columns, **more})

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The surrogate and the value head's error, weighted and summed over targets."""
        each_N, _ = self.surrogate(outputs[:, 0], batch)
        return (batch.weights_N * (each_N + self.value_weight * self.value_error(outputs[:, 1], batch))).sum()

    def value_error(self, values_N: Tensor, batch: Pass) -> Tensor:
        """Half the squared distance from the return; the larger of those with and without the clip."""
        returns_N, before_N = batch.columns[RETURN], batch.columns[VALUE]
        errors_N = (values_N - returns_N) ** 2
        if self.value_clip is not None:
            near_N = before_N + (values_N - before_N).clamp(-self.value_clip, self.value_clip)
            errors_N = errors_N.maximum((near_N - returns_N) ** 2)
        return errors_N / 2

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """Share of clipped targets, surprise, and the value head's half squared error."""
        error = (batch.weights_N * self.value_error(outputs[:, 1], batch)).sum()
        return {**self.watched(outputs[:, 0], batch), "value error": error}


def estimated(rewards: list[float], values: list[float], discount: float, smoothing: float) -> list[float]:
    """Generalised advantage estimates of an answer's tokens; nothing comes behind the last one."""
    found, ahead, following = [0.0] * len(rewards), 0.0, 0.0
    for place in reversed(range(len(rewards))):
        error = rewards[place] + discount * following - values[place]
        ahead = error + discount * smoothing * ahead
        found[place], following = ahead, values[place]
    return found


def normalised(sequences: list[TokenSequence]) -> list[TokenSequence]:
    """Advantages of all targets with the mean 0 and the standard deviation 1."""
    import torch

    chosen = [torch.tensor(sequence.weights) > 0 for sequence in sequences]
    columns = [torch.tensor(sequence.columns[ADVANTAGE]) for sequence in sequences]
    everything = torch.cat([values[kept] for values, kept in zip(columns, chosen, strict=True)])
    middle, spread = everything.mean(), everything.std(correction=0) + 1e-8
    made = []
    for sequence, values, kept in zip(sequences, columns, chosen, strict=True):
        moved = torch.where(kept, (values - middle) / spread, torch.zeros(()))
        made.append(replace(sequence, columns={**sequence.columns, ADVANTAGE: moved.tolist()}))
    return made
