"""Classification: which of some labels a text has, by a head on its states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from sevenfold.errors import DataError, RecipeError
from sevenfold.generate.labels import Whole
from sevenfold.tune.objectives._labels import (
    State,
    labels_of,
    not_of_the_last,
    places_of,
    read,
    read_prompt,
    row_weight,
    states,
    unknown,
    weighted,
)
from sevenfold.tune.objectives._rarity import KEY, Rarity

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.generate.labels import Labelled
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection

BITS = 24
"""Labels whose yes or no one float32 holds exactly."""
MOST = 1000
"""More different labels than this are most likely free text."""


class Classify(Rarity):
    """A linear head on a text's state; cross-entropy over its labels, or one yes or no for each.

    One label a text: ``-w_y (1 - p_y)^gamma log p_y`` with ``p = softmax(W h)``; gamma 0 is cross-entropy, above it the
    focal loss (Lin et al. 2017, arXiv 1708.02002). Several labels a text: the mean over labels of the same of
    ``sigmoid(W h)``. Balanced weights are ``rows / (labels x rows of the label)``, of several labels a text
    ``rows without / rows with``. With costs, the loss is mixed with the expected cost ``sum_j p_j C[y, j]``, and the
    answer is the label whose expected cost is least (Elkan 2001). The last reply of a row is its label.

    With ``smote`` a text of a label with n rows, where the commonest has N, counts ``smote (N / n - 1)`` times more, as
    a point between its state and that of one of its nearest ``neighbours`` of the same label in the step (Chawla et al.
    2002); at 1 all labels count the same. ``bagging``: each of some heads learns from its own Poisson(1) draw of the
    rows, and their probabilities are averaged (Breiman 1996; Oza and Russell 2001). ``boosting``: a text counts to each
    head as far as those before it have not learnt it (Beygelzimer et al. 2015, arXiv 1506.04820). All heads read the
    same states.
    """

    kind: Literal["single", "multi"] = Field("single", description="One label a text, or any number of them.")
    labels: tuple[str, ...] = Field((), description="The labels; default: those of the training rows, sorted.")
    state: State = Field("last", description="What a text is read from: the last token's state, the first's, or all.")
    costs: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="What it costs to say another label than the true one: {true: {said: cost}}; 1 where not given.",
    )
    cost_share: float = Field(0.5, ge=0, le=1, description="The expected cost's share of the loss, with costs.")
    threshold: float = Field(0.5, gt=0, lt=1, description="Several labels: the probability from which one is said.")
    separator: str = Field(", ", min_length=1, description="Several labels: what stands between them in a reply.")
    none: str = Field("none", description="Several labels: the reply of a text that has none.")

    @model_validator(mode="after")
    def goes_together(self) -> Classify:
        """Refuse costs of several labels, labels that stand twice, and costs of labels that there are not."""
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("a label stands twice in labels")
        if self.counts and len(self.counts) != len(self.labels):
            raise ValueError(f"{len(self.counts)} counts for {len(self.labels)} labels")
        if self.costs and self.kind == "multi":
            raise ValueError("costs are of one label said for another; leave them out where kind is multi")
        if self.kind == "multi" and (self.smote or self.ensemble != "none"):
            raise ValueError("smote and ensembles are of one label a text; leave them out where kind is multi")
        if self.smote and self.weights == "balanced":
            raise ValueError("smote makes rare labels count more already; leave out weights: balanced")
        named = {*self.costs, *(said for row in self.costs.values() for said in row)}
        if self.labels and (wrong := sorted(named - set(self.labels))):
            raise ValueError(f"costs name {wrong[0]!r}, which is no label; the labels are {', '.join(self.labels)}")
        return self

    def check(self, section: TuneSection) -> None:
        """Refuse to cut the token off from which a text is read."""
        if self.state == "last" and section.overlong == "cut":
            raise RecipeError(
                "tune.overlong: cut takes the last token away, from whose state a text is classified",
                expected="tune.overlong: drop, or a text read from all its tokens",
                next_step="tune.objective: {classify: {state: mean}}",
            )

    def settled(self, dataset: Dataset) -> Classify:
        """With the labels of the training rows, and how many rows each has."""
        if self.labels and self.counts:
            return self
        found = Counter(label for _, text in labels_of(dataset) for label in self.split(text))
        labels = self.labels or tuple(sorted(found))
        if len(labels) < 2 - (self.kind == "multi") or len(labels) > MOST:
            raise DataError(
                f"the training rows have {len(labels)} different labels"
                + (f": {', '.join(map(repr, labels))}" if len(labels) < 2 else ""),
                where=str(dataset.path("train")),
                expected=f"2 to {MOST}; the last reply of a row is its label",
                next_step="for free text use objective: sft; for numbers objective: regress",
            )
        counts = tuple(found[label] for label in labels)
        if (self.weights == "balanced" or self.smote) and 0 in counts:
            raise unknown(
                f"no training row has the label {labels[counts.index(0)]!r}, so its weight would be infinite",
                where=str(dataset.path("train")),
                expected="at least one row of every label, or weights: equal without smote",
            )
        return type(self)(**{**self.model_dump(), "labels": labels, "counts": counts})

    def split(self, text: str) -> list[str]:
        """The labels that a reply names."""
        if self.kind == "single":
            return [text.strip()]
        return [] if text.strip() == self.none else [part.strip() for part in text.split(self.separator.strip())]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Each label's number."""
        return {label: number for number, label in enumerate(self.labels)}

    @property
    def measures(self) -> tuple[Any, ...]:
        """Accuracy and macro-F1, of several labels a text by label."""
        several = {"separator": self.separator, "none": self.none} if self.kind == "multi" else {}
        return (
            {"accuracy": several},
            {"macro_f1": several},
            *([{"cost": {"costs": self.costs}}] if self.costs else []),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The label's number; of several labels their yes and no, 24 in each."""
        if self.kind == "single":
            return ("label", KEY) if self.keyed else ("label",)
        return tuple(f"labels_{start // BITS}" for start in range(0, len(self.labels), BITS))

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The prompt; what it is read from weighs what the row and its label do.

        Raises:
            DataError: The label is none of those that are known.
        """
        from sevenfold.chat.encoder import TokenSequence

        ids = read_prompt(row, encoder)
        numbers = [self.number(label, row) for label in self.split(row.conversation.reference())]
        weight = row_weight(row) * (self.class_weights[numbers[0]] if self.kind == "single" else 1.0)
        places = places_of(self.state, len(encoder.lead), len(ids))
        values = [float(numbers[0])] if self.kind == "single" else bits(numbers, len(self.labels))
        values += [self.key(row)] if self.keyed else []
        columns = {name: [value] * len(ids) for name, value in zip(self.columns, values, strict=True)}
        return [TokenSequence(ids, weighted(len(ids), places, weight), columns=columns)]

    def number(self, label: str, row: Row) -> int:
        """A label's number."""
        if label not in self.numbers:
            raise unknown(
                f"the label {label[:80]!r} is none of the {len(self.labels)} that are known",
                where=row.origin,
                value=label,
                alternatives=self.labels,
            )
        return self.numbers[label]

    @cached_property
    def class_weights(self) -> list[float]:
        """What a row of each label weighs; of several labels, what a label weighs where it holds."""
        if self.weights == "equal":
            return [1.0] * len(self.labels)
        rows = sum(self.counts)
        if self.kind == "multi":
            return [max(rows - count, 1) / count for count in self.counts]
        return [rows / (len(self.labels) * count) for count in self.counts]

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The head, or all heads of an ensemble in one layer, one behind the other."""
        from sevenfold.tune.engine.labels import Head

        width = self.count_of_heads * len(self.labels)
        return Head(network.config.get_text_config().hidden_size, width, self.dropout)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """Logits of each text, ``B x HK`` of H heads; with ``smote`` its state stands behind them."""
        return self.logits(forward, states(forward, batch), batch)

    def logits(self, forward: Forward, states_ND: Tensor, batch: Pass) -> Tensor:
        """Logits of each text from its states."""
        import torch

        from sevenfold.tune.engine.labels import means_of_texts

        assert forward.own is not None
        states_BD = means_of_texts(states_ND.float(), batch)
        found: Tensor = forward.own(states_BD)
        return torch.cat([found, states_BD.detach()], 1) if self.smote else found

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss of the formula above, summed over texts."""
        from sevenfold.tune.engine import labels

        weights_B = labels.at_texts(batch.weights_N, batch)
        if self.kind == "multi":
            positive_K = outputs.new_tensor(self.class_weights) if self.weights == "balanced" else None
            return (weights_B * labels.sigmoid_losses(outputs, self.hot(batch), self.gamma, positive_K)).sum()
        labels_B, count = self.true(batch), len(self.labels)
        logits_BHK = self.of_heads(outputs, count)
        shares_BH = self.shares(logits_BHK, labels_B, batch)
        losses_B = (shares_BH * self.losses(logits_BHK, labels_B)).mean(1)
        if self.smote:
            points_BH = self.losses(self.points(outputs, labels_B, batch, count), labels_B)
            losses_B = losses_B + self.fill_of(labels_B, batch) * (shares_BH * points_BH).mean(1)
        return (weights_B * losses_B).sum()

    def losses(self, logits_BHK: Tensor, labels_B: Tensor) -> Tensor:
        """Each head's loss of each text, ``B x H``."""
        from sevenfold.tune.engine import labels

        heads, logits_NK = logits_BHK.shape[1], logits_BHK.flatten(0, 1)
        labels_N = labels_B.repeat_interleave(heads)
        losses_N = labels.softmax_losses(logits_NK, labels_N, self.gamma)
        if self.costs:
            costs_N = labels.expected_costs(logits_NK, labels_N, self.cost_matrix(logits_NK))
            losses_N = (1 - self.cost_share) * losses_N + self.cost_share * costs_N
        return losses_N.unflatten(0, (-1, heads))

    def weight(self, batch: Pass) -> float:
        """The sum of the texts' weights, whatever number of tokens each is read from, with those of their points."""
        return float(self.text_weights(batch).sum())

    def text_weights(self, batch: Pass) -> Tensor:
        """What each text counts, ``B``, with its points."""
        from sevenfold.tune.engine.labels import at_texts

        weights_B = at_texts(batch.weights_N, batch)
        return weights_B * (1 + self.fill_of(self.true(batch), batch)) if self.smote else weights_B

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """The weighted share of texts whose labels are all right."""
        if self.kind == "single":
            right_B = self.chosen(self.together(outputs, len(self.labels)).softmax(-1)) == self.true(batch)
        else:
            right_B = ((outputs.sigmoid() > self.threshold) == (self.hot(batch) > 0)).all(-1)
        return {"accuracy": (self.text_weights(batch) * right_B).sum()}

    def true(self, batch: Pass) -> Tensor:
        """The number of each text's label, ``B``."""
        from sevenfold.tune.engine.labels import at_texts

        return at_texts(batch.columns["label"], batch).long()

    def hot(self, batch: Pass) -> Tensor:
        """1 where a text has a label, ``B x K``."""
        import torch

        from sevenfold.tune.engine.labels import at_texts

        packed = [at_texts(batch.columns[name], batch).long() for name in self.columns]
        return torch.stack([packed[k // BITS] >> (k % BITS) & 1 for k in range(len(self.labels))], -1).float()

    def cost_matrix(self, like: Tensor) -> Tensor:
        """What each label costs where another is true, ``K x K``: true by said."""
        plain = {true: {said: float(true != said) for said in self.labels} for true in self.labels}
        return like.new_tensor(
            [[self.costs.get(true, {}).get(said, plain[true][said]) for said in self.labels] for true in self.labels]
        )

    def chosen(self, probs_BK: Tensor) -> Tensor:
        """The label that is said, ``B``: the likeliest, with costs the cheapest."""
        from sevenfold.tune.engine.labels import cheapest

        return cheapest(probs_BK, self.cost_matrix(probs_BK)) if self.costs else probs_BK.argmax(-1)

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """The label of each prompt, or all that are likely enough, with every label's probability."""
        from sevenfold.chat.encoder import TokenSequence
        from sevenfold.generate.labels import Labelled

        lead = len(encoder.lead)
        states_ND, batch = read(
            forward,
            [TokenSequence(ids, weighted(len(ids), places_of(self.state, lead, len(ids)), 1.0)) for ids in prompts],
        )
        logits_BK = self.together(self.logits(forward, states_ND, batch), len(self.labels))
        probs_BK = logits_BK.softmax(-1) if self.kind == "single" else logits_BK.sigmoid()
        if self.kind == "single":
            said = [self.labels[number] for number in self.chosen(probs_BK).tolist()]
        else:
            said = [self.joined(probs) for probs in probs_BK.tolist()]
        return [
            Labelled(text, dict(zip(self.labels, probs, strict=True)))
            for text, probs in zip(said, probs_BK.tolist(), strict=True)
        ]

    def joined(self, probs: list[float]) -> str:
        """The labels of a text as a reply writes them."""
        found = [label for label, prob in zip(self.labels, probs, strict=True) if prob > self.threshold]
        return self.separator.join(found) or self.none

    def unread(self) -> Labelled:
        """The label with the least expected cost by the training rows' shares, most often the commonest."""
        import torch

        from sevenfold.generate.labels import Labelled

        shares = [count / max(sum(self.counts), 1) for count in self.counts]
        probs = dict(zip(self.labels, shares, strict=True))
        if self.kind == "multi":
            return Labelled(self.none, probs)
        return Labelled(self.labels[int(self.chosen(torch.tensor([shares]))[0])], probs)

    def apart(self, model: Model) -> str | None:
        """Where a text is read from another token than the last, by an encoder, or by several heads."""
        if self.ensemble != "none":
            return "transformers' classifiers have one head, this one has several"
        return not_of_the_last(self.state, model)

    def whole(self, own: nn.Module) -> Whole:
        """``AutoModelForSequenceClassification``, which reads the last token of a causal model."""
        kind = {"single": "single_label_classification", "multi": "multi_label_classification"}[self.kind]
        names = dict(enumerate(self.labels))
        config = {"id2label": names, "label2id": self.numbers, "problem_type": kind}
        return Whole("AutoModelForSequenceClassification", config, dict(own.state_dict()))


def bits(numbers: Sequence[int], count: int) -> list[float]:
    """Which of ``count`` numbers are there, 24 in each figure."""
    found = [0] * -(-count // BITS)
    for number in numbers:
        found[number // BITS] |= 1 << number % BITS
    return [float(packed) for packed in found]
