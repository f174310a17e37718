"""Distillation: a small model learns what a larger one says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.objectives import Extra, Objective

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection


class Distill(Objective):
    """``share D(teacher, student) + (1 - share) sft``, over the tokens of the replies; the teacher is ``load.teacher``.

    D compares the two models' whole next-token distributions at a temperature T, p the teacher's and q the student's:
    ``forward`` is ``T^2 KL(p || q)`` (Hinton et al. 2015, arXiv 1503.02531), ``reverse`` ``T^2 KL(q || p)`` (MiniLLM,
    Gu et al. 2023, arXiv 2306.08543), ``jsd`` the generalised Jensen-Shannon divergence ``T^2 (beta KL(p || m) +
    (1 - beta) KL(q || m))``, ``m = beta p + (1 - beta) q`` (GKD, Agarwal et al. 2023, arXiv 2306.13649). With
    ``replies: teacher`` it writes the replies too (sequence-level: Kim and Rush 2016, arXiv 1606.07947); with
    ``share: 0`` these alone are learnt, and the teacher may have any vocabulary.
    """

    divergence: Literal["forward", "reverse", "jsd"] = Field(
        "forward", description="forward: cover all that the teacher says; reverse: its likeliest alone; jsd: between."
    )
    beta: float = Field(0.5, gt=0, lt=1, description="The teacher's part in the mixture of jsd; small: like forward.")
    temperature: float = Field(1.0, gt=0, description="Above 1 the teacher's less likely tokens count more.")
    share: float = Field(0.5, ge=0, le=1, description="The distance's share of the loss; the rest is that of sft.")
    replies: Literal["own", "teacher"] = Field(
        "own", description="Whose replies are learnt: those of the rows, or those that the teacher writes, greedily."
    )
    longest: int = Field(256, ge=1, description="Tokens of an answer that the teacher writes, at most.")

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The replies behind their prompts, as sft has them; a token with nothing before it is no target."""
        found, first = encoder.sequences(row.conversation), len(encoder.lead)
        return [
            replace(sequence, weights=[*sequence.weights[:first], 0.0, *sequence.weights[first + 1 :]])
            for sequence in found
        ]

    def taught(self, dataset: Dataset, model: Model, environment: Environment, entry: Entry) -> Dataset:
        """The rows, with the teacher's answers where these are learnt."""
        from sevenfold.tune import teacher

        if self.replies == "own":
            return dataset
        return teacher.answers(dataset, model, environment, self.longest, entry)

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module | None:
        """The teacher, frozen; none where only its answers are learnt.

        Raises:
            ModelError: There is none, or its vocabulary is of another family.
        """
        from sevenfold.tune import teacher

        return teacher.Beside(model) if self.share else None

    def beside_bytes(self, model: Model, dtype: torch.dtype) -> int:
        """The teacher's weights."""
        return model.teacher_model().card.parameters * dtype.itemsize if self.share and model.teacher else 0

    def extra(self, model: Model) -> Extra:
        """The teacher reads every token too."""
        asked = self.share and model.teacher
        return Extra(operations=2.0 * model.teacher_model().card.parameters if asked else 0.0)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """Of each target its log-probability and the distance to the teacher, ``N x 2``, float32, nats."""
        import torch

        from sevenfold.tune.engine.distance import Measure, compared
        from sevenfold.tune.teacher import Beside

        if not isinstance(forward.own, Beside):
            said_N = forward(batch)
            return torch.stack([said_N, torch.zeros_like(said_N)], 1)
        batch = batch.to(str(forward.device))
        beta = {"forward": 0.0, "reverse": 1.0}.get(self.divergence, self.beta)
        measure = Measure(beta, self.temperature, forward.own.shared())
        told = forward.own.said(forward, batch)
        with forward.autocast():
            return compared(forward.head, forward.hidden(batch), batch.labels_N, told, measure)

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """``sum_i w_i (share D_i - (1 - share) log p_i)``."""
        said_N, distances_N = outputs.unbind(-1)
        return (batch.weights_N * (self.share * distances_N - (1 - self.share) * said_N)).sum()

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """The two parts: the distance to the teacher and the replies' negative log-likelihood, nats a token."""
        said_N, distances_N = outputs.unbind(-1)
        found = {"nll": -(batch.weights_N * said_N).sum()}
        return {"distance": (batch.weights_N * distances_N).sum(), **found} if self.share else found

    def check(self, section: TuneSection) -> None:
        """Refuse to learn nothing from a teacher.

        Raises:
            RecipeError: Neither its probabilities nor its answers are learnt.
        """
        if not self.share and self.replies == "own":
            raise RecipeError(
                "with share 0 and the rows' own replies nothing is learnt from a teacher",
                expected="a share above 0, or replies: teacher",
                next_step="tune.objective: sft, to learn the rows alone",
            )
