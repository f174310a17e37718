"""PPO's advantages and loss: the papers' formulae written out, and values worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.schema import build
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.objectives._on_policy import Drawn
from sevenfold.tune.objectives._surrogate import ADVANTAGE, OLD
from sevenfold.tune.objectives.ppo import RETURN, VALUE, Ppo, estimated, normalised

REWARDS = [-0.1, 0.2, 0.0, 1.0]
VALUES = [0.5, 0.25, -0.5, 0.75]


@pytest.mark.parametrize(("discount", "smoothing"), [(1.0, 0.95), (0.9, 0.8), (0.99, 0.0), (1.0, 1.0)])
def test_advantages_are_the_papers_sum(discount, smoothing) -> None:
    ahead = [*VALUES[1:], 0.0]
    errors = [r + discount * after - v for r, v, after in zip(REWARDS, VALUES, ahead, strict=True)]
    expected = [
        sum((discount * smoothing) ** (later - now) * errors[later] for later in range(now, 4)) for now in range(4)
    ]
    assert estimated(REWARDS, VALUES, discount, smoothing) == pytest.approx(expected)


def test_advantages_by_hand() -> None:
    # Lambda 1: all that is still to come, less the value. Lambda 0: one reward, the next value, less the value.
    assert estimated([0.0, 1.0], [0.25, 0.5], 1.0, 1.0) == [0.75, 0.5]
    assert estimated([0.0, 1.0], [0.25, 0.5], 1.0, 0.0) == [0.25, 0.5]
    assert estimated([0.0, 1.0], [0.25, 0.5], 0.5, 1.0) == [0.25, 0.5]


def batch_of(columns: dict[str, list[float]]):
    count = len(columns[OLD])
    whole = {name: [0.0, *values] for name, values in columns.items()}
    return pack([TokenSequence([1, *range(5, 5 + count)], [0.0] + [1.0] * count, branches=(1,), columns=whole)])


COLUMNS = {
    OLD: [-1.0, -0.5, -2.0, -0.7],
    ADVANTAGE: [1.0, -0.5, 0.25, -2.0],
    VALUE: [0.5, 0.0, 1.0, -0.25],
    RETURN: [1.0, 0.25, -1.0, 0.5],
}
OUTPUTS = [[-0.5, 0.9], [-0.4, 0.1], [-2.1, 0.4], [-1.9, -0.2]]


@pytest.mark.parametrize("value_clip", [0.2, None])
def test_it_is_the_papers_loss(value_clip) -> None:
    objective = build(Ppo, {"value_weight": 0.5, "value_clip": value_clip, "clip": 0.1, "clip_high": 0.3}, "ppo")
    expected = 0.0
    for place, (logprob, value) in enumerate(OUTPUTS):
        ratio = math.exp(logprob - COLUMNS[OLD][place])
        advantage = COLUMNS[ADVANTAGE][place]
        expected -= min(ratio * advantage, min(max(ratio, 0.9), 1.3) * advantage)
        error = (value - COLUMNS[RETURN][place]) ** 2
        if value_clip is not None:
            before = COLUMNS[VALUE][place]
            near = min(max(value, before - value_clip), before + value_clip)
            error = max(error, (near - COLUMNS[RETURN][place]) ** 2)
        expected += 0.5 * error / 2
    assert float(objective.loss(torch.tensor(OUTPUTS), batch_of(COLUMNS))) == pytest.approx(expected, abs=1e-5)


def test_loss_by_hand() -> None:
    # One token, twice as likely as before, advantage 1: 1.2 counts. Value 0.5 moved from 0 to 0.5 with return 1: the
    # clipped one, 0.2, is further from it: (0.2 - 1)^2 / 2 = 0.32, a tenth of which is added to -1.2.
    columns = {OLD: [-1.0], ADVANTAGE: [1.0], VALUE: [0.0], RETURN: [1.0]}
    outputs = torch.tensor([[-1.0 + math.log(2), 0.5]])
    assert float(build(Ppo, {}, "ppo").loss(outputs, batch_of(columns))) == pytest.approx(-1.2 + 0.032)


def test_normalised_advantages() -> None:
    sequences = [
        TokenSequence([1, 2, 3], [0.0, 1.0, 1.0], columns={ADVANTAGE: [9.0, 1.0, 2.0]}),
        TokenSequence([1, 2], [0.0, 1.0], columns={ADVANTAGE: [9.0, 6.0]}),
    ]
    found = normalised(sequences)
    spread = math.sqrt((4 + 1 + 9) / 3)
    assert found[0].columns[ADVANTAGE] == pytest.approx([0, -2 / spread, -1 / spread])
    assert found[1].columns[ADVANTAGE] == pytest.approx([0, 3 / spread])


def test_what_is_learnt_of_drawn_answers(monkeypatch) -> None:
    """KL in the reward of each token, the answer's worth in the last one's."""
    objective = build(Ppo, {"kl": 0.5, "normalise": False, "smoothing": 1.0}, "ppo")
    one = Drawn(TokenSequence([1], [0.0]), [[5, 6], [7]], [], [1.0, 0.25])
    said = torch.tensor([[0.0, 0.0], [-1.0, 0.5], [-2.0, 0.25], [-0.5, 0.0]])
    monkeypatch.setattr(Ppo, "now", lambda *_: [said])
    monkeypatch.setattr(Ppo, "of_reference", lambda *_: [[0.0, -1.5, -2.0, -0.25]])
    (found,), figures = objective.learnable(None, [one])
    # Distances 0.5 and 0, and -0.25; rewards -0.25 and 1, and 0.125 + 0.25.
    assert found.columns[RETURN] == pytest.approx([0.0, 0.75, 1.0, 0.375])
    assert found.columns[ADVANTAGE] == pytest.approx([0.0, 0.25, 0.75, 0.375])
    assert figures == {"distance": pytest.approx(0.25 / 3)}


def test_the_reference_is_a_moving_average() -> None:
    from torch import nn

    from sevenfold.tune import own
    from sevenfold.tune.engine.policy import Start

    layer = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(layer.weight)
    fixed, mean = Start(layer, None), Start(layer, 0.75)
    assert not own.state(fixed)
    assert len(own.state(mean)) == 1
    nn.init.ones_(layer.weight)
    for start in (fixed, mean):
        start.follow(layer)
    with fixed.instead(layer):
        assert layer.weight.tolist() == [[0, 0]]
    with mean.instead(layer):
        assert layer.weight.tolist() == [[0.25, 0.25]]
    assert layer.weight.tolist() == [[1, 1]]


def test_parts_are_dealt_without_loss() -> None:
    objective = build(Ppo, {"minibatches": 3}, "ppo")
    sequences = [replace(TokenSequence([number], [1.0])) for number in range(8)]
    dealt = objective.dealt(sequences, [3, 1, 7, 0, 2, 6, 4, 5])
    assert [len(part) for part in dealt] == [3, 3, 2]
    assert sorted(one.ids[0] for part in dealt for one in part) == list(range(8))
