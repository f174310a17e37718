"""A loss over all of a step's outputs has the gradient of one pass, however rows are laid into passes."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune import accumulate
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.objectives import Objective


class Spread(Objective):
    """The squared spread of all targets' log-probabilities: no sum over passes."""

    joint = True

    def sequences(self, row, encoder):
        raise NotImplementedError

    def loss(self, outputs, batch):
        return ((outputs - outputs.mean()) ** 2 * batch.weights_N).sum()

    def figures(self, outputs, batch):
        return {"lowest": outputs.min() * batch.weight}


class Parts(Spread):
    """The same loss taken pass by pass."""

    joint = False


@pytest.fixture
def forward(tiny_model) -> Forward:
    return Forward(tiny_model.network(torch.float32).train(), torch.float32)


SEQUENCES = [TokenSequence(list(range(5, 5 + n)), [0.0] + [1.0] * (n - 1)) for n in (4, 9, 6)]


def taken(forward: Forward, objective: Objective, budget: int):
    seen: dict[str, float] = {}
    loss = accumulate.gradients(forward, objective, passes(SEQUENCES, budget), seen)
    found = {name: weight.grad.clone() for name, weight in forward.network.named_parameters()}
    forward.network.zero_grad()
    return loss, seen, found


def test_passes_give_the_gradient_of_one(forward) -> None:
    whole, parts, wrong = taken(forward, Spread(), 100), taken(forward, Spread(), 9), taken(forward, Parts(), 9)
    assert parts[0] == pytest.approx(whole[0], rel=1e-5)
    assert parts[1] == pytest.approx(whole[1], rel=1e-5)
    for name, value in whole[2].items():
        torch.testing.assert_close(parts[2][name], value, rtol=1e-3, atol=1e-6)
    assert wrong[0] != pytest.approx(whole[0], rel=1e-2)
    assert accumulate.mean(forward, Spread(), passes(SEQUENCES, 9))[0] == pytest.approx(whole[0], rel=1e-5)


def test_the_second_time_draws_what_the_first_drew(forward) -> None:
    outputs = []

    class Noisy(Spread):
        def outputs(self, forward, batch):
            found = super().outputs(forward, batch)
            outputs.append((len(found), torch.rand(()).item()))
            return found

    torch.manual_seed(3)
    taken(forward, Noisy(), 9)
    assert len(outputs) == 2 * len(passes(SEQUENCES, 9))
    assert outputs[: len(outputs) // 2] == outputs[len(outputs) // 2 :]
    # What is drawn behind the step is not what was drawn in it.
    assert torch.rand(()).item() not in [drawn for _, drawn in outputs]
