"""Few labelled rows: texts of one label are drawn together, then a logistic regression tells the labels apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from sevenfold.errors import DataError, RecipeError
from sevenfold.tune.objectives._labels import (
    OneLabel,
    labels_of,
    places_of,
    read,
    read_prompt,
    row_weight,
    states,
    unknown,
    weighted,
)

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.generate.labels import Labelled
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection


class Setfit(OneLabel):
    """``-1/|P(i)| sum_{p in P(i)} log (exp(cos(i, p)/t) / sum_{a != i} exp(cos(i, a)/t))``; P(i): rows of i's label.

    The way of SetFit (Tunstall et al. 2022, arXiv 2209.11055), for a handful of rows a label: first the network learns
    to lay texts of one label together, here by the supervised contrastive loss over all pairs of a step (Khosla et al.
    2020, arXiv 2004.11362) instead of pairs that are drawn beforehand; then a logistic regression is fitted exactly on
    the vectors of the training rows, by L-BFGS. Begin with an encoder of embeddings where there is one.

    The last reply of a row is its label. A step should hold several rows of each label, so the batch may as well be
    all rows: it needs the memory of one pass.
    """

    targets = "prompt"
    joint: ClassVar[bool] = True

    pooling: Literal["mean", "last", "first"] = Field("mean", description="What makes a text's vector, as of embed.")
    temperature: float = Field(0.1, gt=0, description="The smaller, the more the nearest texts count.")
    inverse_penalty: float = Field(
        1.0, gt=0, description="C of the logistic regression: larger trusts the rows more, smaller keeps weights small."
    )

    def check(self, section: TuneSection) -> None:
        """Refuse a step of one row.

        Raises:
            RecipeError: There is nothing to draw it to.
        """
        if section.batch < 2:
            raise RecipeError(
                f"tune.batch = {section.batch} leaves a text no other to be drawn to",
                where="tune.objective: setfit",
                next_step="tune.batch: 32, or all rows; memory does not grow with it",
            )

    def settled(self, dataset: Dataset) -> Setfit:
        """With the labels of the training rows."""
        if self.labels:
            return self
        labels = tuple(sorted({label for _, label in labels_of(dataset)}))
        if not 2 <= len(labels) <= 1000:
            raise DataError(
                f"the training rows have {len(labels)} different labels",
                where=str(dataset.path("train")),
                expected="2 to 1000; the last reply of a row is its label",
                next_step="for free text use objective: sft",
            )
        return type(self)(**{**self.model_dump(), "labels": labels})

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The text; the tokens that make its vector are targets.

        Raises:
            DataError: The label is none of those that are known.
        """
        label = row.conversation.reference().strip()
        if label not in self.labels:
            raise unknown(f"there is no label {label!r}", where=row.origin, value=label, alternatives=self.labels)
        return [self.reading(read_prompt(row, encoder), encoder, row_weight(row), float(self.labels.index(label)))]

    def reading(self, ids: list[int], encoder: Encoder, weight: float = 1.0, label: float = 0.0) -> TokenSequence:
        """A text as a server would send it, with the tokens that make its vector."""
        from sevenfold.chat.encoder import TokenSequence

        weights = weighted(len(ids), places_of(self.pooling, len(encoder.lead), len(ids)), weight)
        return TokenSequence(ids, weights, columns={"label": [label] * len(ids)})

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The logistic regression, fitted behind the last step; what it is before says nothing."""
        from sevenfold.tune.engine.labels import Head

        return Head(network.config.get_text_config().hidden_size, len(self.labels), bias=True)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """Each text's vector, ``B x D``, float32, of length one."""
        from torch.nn.functional import normalize

        from sevenfold.tune.engine.embeddings import pooled

        vectors_BD = normalize(pooled(states(forward, batch), batch.to(str(forward.device))), dim=-1)
        assert forward.own is not None
        # The regression has a gradient of zero at every step: it is fitted at the end.
        still = sum((weight.sum() for weight in forward.own.parameters()), vectors_BD.new_zeros(()))
        return vectors_BD + 0.0 * still

    def weight(self, batch: Pass) -> float:
        """The sum of the texts' weights."""
        from sevenfold.tune.engine.labels import at_texts

        return float(at_texts(batch.weights_N, batch).sum())

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The sum over texts."""
        from sevenfold.tune.engine.embeddings import supervised
        from sevenfold.tune.engine.labels import at_texts

        losses_B = supervised(outputs, at_texts(batch.columns["label"], batch), self.temperature)
        return (at_texts(batch.weights_N, batch) * losses_B).sum()

    def finished(self, forward: Forward, rows: Encoded, budget: int) -> None:
        """Fit the logistic regression on the vectors of the training rows."""
        import torch

        from sevenfold.tune.engine.embeddings import logistic
        from sevenfold.tune.engine.labels import at_texts
        from sevenfold.tune.engine.passes import passes

        own: Any = forward.own
        vectors, labels = [], []
        with torch.no_grad():
            for part in passes(rows.sequences(range(len(rows))), budget, here=True):
                vectors.append(self.outputs(forward, part).double())
                labels.append(at_texts(part.columns["label"], part).long().to(forward.device))
        weight_KD, bias_K = logistic(torch.cat(vectors), torch.cat(labels), len(self.labels), self.inverse_penalty)
        with torch.no_grad():
            own.weight.copy_(weight_KD)
            own.bias.copy_(bias_K)

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """The likeliest label of each prompt, with every label's probability."""
        import torch
        from torch.nn.functional import normalize

        from sevenfold.generate.labels import Labelled
        from sevenfold.tune.engine.embeddings import pooled

        own: Any = forward.own
        states_ND, batch = read(forward, [self.reading(ids, encoder) for ids in prompts])
        with torch.inference_mode():
            probs_BK = own(normalize(pooled(states_ND, batch), dim=-1)).softmax(-1)
        best_B = probs_BK.argmax(-1).tolist()
        return [
            Labelled(self.labels[best], dict(zip(self.labels, probs, strict=True)))
            for best, probs in zip(best_B, probs_BK.tolist(), strict=True)
        ]

    def apart(self, model: Model) -> str:
        """Transformers has no class of a regression on vectors of length one."""
        return "no class of transformers reads labels from vectors of length one; the service and the adapter do"

    def unread(self) -> Labelled:
        """Any label: of a handful of rows a label there are about as many of each."""
        from sevenfold.generate.labels import Labelled

        share = 1 / len(self.labels)
        return Labelled(self.labels[0], dict.fromkeys(self.labels, share))
