"""A reward model: a number for an answer, higher for what people prefer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.errors import DataError, RecipeError
from sevenfold.generate.labels import Whole
from sevenfold.tune.objectives._answers import Pairs, pairs

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.generate.labels import Labelled
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection

MARGIN = "margin"


class Reward(Pairs):
    """``-log sigmoid(r(chosen) - r(rejected) - margin) + centering (r(chosen) + r(rejected))^2``.

    ``r`` is a linear head on the state of an answer's last token, its end of turn (Bradley and Terry 1952; Stiennon et
    al. 2020, arXiv 2009.01325). A row's margin says by how much the one is better (Touvron et al. 2023, arXiv
    2307.09288); centering holds the rewards' mean at zero, which the first term leaves open (Eisenstein et al. 2023,
    arXiv 2312.09244). For reinforcement learning, for ranking answers, and to measure others.
    """

    here = True
    targets = "text"
    writes = False
    margin: str | None = Field(None, description="The column with a number, how much better; not given: 0 for all.")
    centering: float = Field(0.0, ge=0, description="The weight of the squared sum of a pair's rewards; 0.01 is usual.")

    @property
    def measures(self) -> tuple[Any, ...]:
        """Held-out pairs alone: a reward model writes nothing."""
        return ("pair_accuracy",)

    @property
    def columns(self) -> tuple[str, ...]:
        """The margin, where a column has it."""
        return (MARGIN,) if self.margin else ()

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The prompt and both answers, of which the last tokens alone are targets."""
        (found,) = super().sequences(row, encoder)
        last = {*(start - 1 for start in found.branches[1:]), len(found) - 1}
        weights = [weight if place in last else 0.0 for place, weight in enumerate(found.weights)]
        columns = {MARGIN: [read_margin(row, self.margin)] * len(found)} if self.margin else {}
        return [replace(found, weights=weights, columns=columns)]

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The head, without a bias: only differences of rewards are learnt. Its random start tells answers apart."""
        from sevenfold.tune.engine.labels import Head

        return Head(model.card.hidden, 1)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """The reward of each answer, ``B``, float32."""
        assert forward.own is not None
        with forward.autocast():
            states_ND = forward.hidden(batch)
        rewards_N: Tensor = forward.own(states_ND)[:, 0]
        return rewards_N

    def losses(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss of each pair."""
        from torch.nn.functional import logsigmoid

        chosen_P, rejected_P = self.values(outputs, batch)
        margins_P = pairs(batch.per_branch(batch.columns[MARGIN]))[0] if self.margin else 0.0
        return -logsigmoid(chosen_P - rejected_P - margins_P) + self.centering * (chosen_P + rejected_P) ** 2

    def values(self, outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """The head's numbers."""
        return pairs(batch.per_branch(outputs))

    def judge(self, forward: Forward, sequences: Sequence[TokenSequence]) -> list[float]:
        """The reward of each answer."""
        import torch

        from sevenfold.tune.engine.passes import pack

        last = [replace(one, weights=[*[0.0] * (len(one) - 1), 1.0], columns={}) for one in sequences]
        with torch.no_grad():
            return [float(self.outputs(forward, pack([one], self.here))) for one in last]

    def answers(self, forward: Forward, encoder: Encoder, prompts: Sequence[list[int]]) -> list[Labelled]:
        """The reward of what was said last: what stands behind the last end of a turn is not read."""
        from sevenfold.chat.encoder import TokenSequence
        from sevenfold.generate.labels import Labelled

        said = []
        for ids in prompts:
            ends = [place + 1 for place, token in enumerate(ids) if token in encoder.stop_ids]
            end = ends[-1] if ends else len(ids)
            said.append(TokenSequence(ids[:end], [1.0] * end))
        return [Labelled(f"{value:.4f}") for value in self.judge(forward, said)]

    def unread(self) -> Labelled:
        """No reward is higher than another."""
        from sevenfold.generate.labels import Labelled

        return Labelled("0")

    def whole(self, own: nn.Module) -> Whole:
        """``AutoModelForSequenceClassification`` with one label, whose score is the reward of a text's last token."""
        return Whole(
            "AutoModelForSequenceClassification",
            {"num_labels": 1, "problem_type": "regression"},
            dict(own.state_dict()),
            ["its one score is the reward of what was said last, read at the end of its turn"],
        )

    def check(self, section: TuneSection) -> None:
        """Refuse to cut answers, whose last token is what is judged."""
        if section.overlong == "cut":
            raise RecipeError(
                "tune.overlong: cut would take the last token of an answer away, which is the one that is judged",
                where="tune.overlong",
                alternatives=("drop", "refuse"),
                next_step="tune.overlong: drop",
            )


def read_margin(row: Row, column: str) -> float:
    """How much better the preferred answer is.

    Raises:
        DataError: The column is not there, or is no finite number.
    """
    from math import isfinite

    if column not in row.fields:
        raise DataError(
            f"a row has no column {column!r} with its margin",
            where=row.origin,
            value=column,
            alternatives=row.fields,
            next_step="correct tune.objective.reward.margin, or leave it out",
        )
    try:
        margin = float(row.fields[column])
    except ValueError:
        margin = float("nan")
    if not isfinite(margin):
        raise DataError(
            f"the margin of a row is {row.fields[column]!r}",
            where=row.origin,
            expected="a number: by how much the preferred answer is better",
        )
    return margin
