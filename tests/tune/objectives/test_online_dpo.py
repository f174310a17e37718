"""Online DPO: which answers become a pair, what is learnt of it, and that it is DPO's loss on them."""

from __future__ import annotations

import math

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import RecipeError
from sevenfold.schema import build
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.objectives._on_policy import REFERENCE, Drawn
from sevenfold.tune.objectives.dpo import Dpo
from sevenfold.tune.objectives.online_dpo import TELLS, OnlineDpo, pair
from sevenfold.tune.section import TuneSection


def drawn(rewards: list[float], lengths: tuple[int, ...] = (3, 1, 2)) -> Drawn:
    """Answers whose tokens say which of them they are of."""
    answers = [[10 * (number + 1)] * length for number, length in enumerate(lengths)]
    return Drawn(TokenSequence([1, 2], [0.0, 0.0]), answers, [], rewards)


def test_the_best_answer_is_preferred_to_the_worst() -> None:
    found = pair(drawn([0.5, 0.9, 0.1]))
    assert found.ids == [1, 2, 20, 30, 30]
    assert found.branches == (2, 3)
    assert found.weights == [0, 0, 1, 1, 1]
    assert found.columns[TELLS] == [1.0] * 5


def test_answers_of_one_worth_teach_nothing() -> None:
    objective = build(OnlineDpo, {"rewards": ["overlap"]}, "online_dpo")
    sequence = pair(drawn([0.5, 0.5, 0.5]))
    sequence.columns[REFERENCE] = [-1.0] * len(sequence)
    batch = pack([sequence])
    outputs = torch.full((len(batch.weights_N),), -0.5, requires_grad=True)
    loss = objective.loss(outputs, batch) / objective.weight(batch)
    loss.backward()
    assert loss.item() == 0
    assert outputs.grad is not None
    assert not outputs.grad.any()


@pytest.mark.parametrize(
    "form", [{}, {"beta": 0.3, "label_smoothing": 0.2}, {"loss_type": "ipo"}, {"loss_type": "hinge"}]
)
def test_it_is_dpo_on_the_pairs(form: dict) -> None:
    """By hand for the sigmoid: the mean over two pairs of -log sigmoid(beta d)."""
    now = torch.tensor([-1.0, -2.0, -0.5, -0.25, -3.0, -1.5, -0.75])
    start = [-1.5, -1.0, -1.5, -0.75, -2.0, -1.0, -1.75]
    sequences, numbers = [pair(drawn([0.5, 0.9, 0.1])), pair(drawn([0.0, 0.25, 1.0], (2, 2, 2)))], iter(start)
    for sequence in sequences:
        sequence.columns[REFERENCE] = [next(numbers) if weight else 0.0 for weight in sequence.weights]
    batch = pack(sequences)
    objective = build(OnlineDpo, {"rewards": ["overlap"], **form}, "online_dpo")
    found = objective.loss(now, batch)
    assert float(found) == pytest.approx(float(build(Dpo, form, "dpo").loss(now, batch)), abs=1e-6)
    if not form:
        # The first pair: one target that gained 0.5, two that gained -1 + 1. The second: 0.5 - 1, and -0.5 + 1.
        margins = [0.5 - 0.0, -0.5 - 0.5]
        assert float(found) == pytest.approx(sum(math.log(1 + math.exp(-0.1 * d)) for d in margins), abs=1e-6)


def test_one_answer_makes_no_pair() -> None:
    with pytest.raises(RecipeError, match="answers_each is 1"):
        build(TuneSection, {"objective": {"online_dpo": {"answers_each": 1}}}, "tune")


def test_the_fields_of_the_surrogate_are_not_its() -> None:
    with pytest.raises(RecipeError, match="clip"):
        build(OnlineDpo, {"clip": 0.2}, "online_dpo")
