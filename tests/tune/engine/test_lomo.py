"""Descent in the backward pass against its plain formula."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import TrainingError
from sevenfold.record import Entry
from sevenfold.tune import accumulate
from sevenfold.tune.engine import lomo
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.methods import Moment
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, encoded_split

RATE = 0.1


def section(clip=None, **fields) -> TuneSection:
    return TuneSection.model_validate({"method": {"lomo": fields}, "clip": clip})


@pytest.fixture
def batch(dataset, tiny_model, tmp_path):
    rows = encoded_split("train", section(), dataset, tiny_model, Entry(tmp_path))
    return passes(rows.sequences(range(4)), 10_000)


def start(made: TuneSection, tiny_model, environment):
    forward = build(made, tiny_model, environment)
    weights = made.method.trainable(forward.network)
    mover = made.method.mover(forward, made, weights)
    mover.begin(Moment(0, 10, 17))
    mover.set_rate(RATE)
    return forward, weights, mover


def plain(forward, made, batch):
    """The gradients that autograd gives, all together."""
    loss = accumulate.gradients(forward, made.objective, batch)
    found = {name: weight.grad.clone() for name, weight in forward.network.named_parameters()}
    forward.network.zero_grad(set_to_none=True)
    return loss, found


def ignore(loss: float, norm: float) -> None:
    return None


@pytest.mark.parametrize("clip", [None, 0.5, 1e6])
def test_a_step_is_the_plain_one_clipped_by_the_norm(clip, batch, tiny_model, environment) -> None:
    made = section(clip)
    forward, weights, mover = start(made, tiny_model, environment)
    loss, gradients = plain(forward, made, batch)
    norm = float(torch.stack([gradient.norm() for gradient in gradients.values()]).norm())
    share = 1.0 if clip is None else min(1.0, clip / (norm + 1e-6))
    expected = {name: weight.detach() - RATE * share * gradients[name] for name, weight in weights.items()}
    found = mover.step(batch, ignore)
    assert found == pytest.approx((loss, norm), rel=1e-5)
    for name, weight in weights.items():
        torch.testing.assert_close(weight.detach(), expected[name], rtol=1e-6, atol=1e-7)
        assert weight.grad is None


def test_a_step_clipped_by_value(batch, tiny_model, environment) -> None:
    made = section(clip_value=1e-3)
    forward, weights, mover = start(made, tiny_model, environment)
    _, gradients = plain(forward, made, batch)
    assert max(float(gradient.abs().max()) for gradient in gradients.values()) > 1e-3
    expected = {name: weight.detach() - RATE * gradients[name].clamp(-1e-3, 1e-3) for name, weight in weights.items()}
    mover.step(batch, ignore)
    for name, weight in weights.items():
        torch.testing.assert_close(weight.detach(), expected[name], rtol=1e-6, atol=1e-7)


def test_one_gradient_at_a_time_in_both_rounds(batch, tiny_model, environment) -> None:
    _, weights, mover = start(section(clip=1.0), tiny_model, environment)
    together = []
    for weight in weights.values():
        weight.register_post_accumulate_grad_hook(
            lambda _: together.append(sum(other.grad is not None for other in weights.values()))
        )
    mover.step(batch, ignore)
    assert together == [1] * 2 * len(weights)


def test_with_a_norm_the_guard_comes_before_anything_moves(batch, tiny_model, environment) -> None:
    _, weights, mover = start(section(clip=1.0), tiny_model, environment)
    before = [weight.detach().clone() for weight in weights.values()]
    seen = []

    def refuse(loss: float, norm: float) -> None:
        seen.append(norm)
        raise TrainingError("no")

    with pytest.raises(TrainingError):
        mover.step(batch, refuse)
    assert seen[0] > 0
    assert all(torch.equal(*pair) for pair in zip(before, weights.values(), strict=True))


def test_adalomo_by_hand() -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(3, 4))
    optimizer = lomo.AdaLomo([weight])
    optimizer.param_groups[0]["lr"] = RATE
    rows, columns = torch.zeros(3), torch.zeros(4)
    for step in (1, 2, 3):
        weight.grad = torch.randn(3, 4) * 10
        squares, beta = weight.grad**2, 1 - step**-0.8
        rows = beta * rows + (1 - beta) * squares.sum(1) / 4
        columns = beta * columns + (1 - beta) * squares.sum(0) / 3
        second = rows[:, None] * columns[None] / (rows.sum() / 3)
        change = weight.grad / second.sqrt()
        change /= max(1.0, float((change**2).mean().sqrt()))
        change *= max(1e-3, float((weight.detach() ** 2).mean().sqrt()))
        expected = weight.detach() - RATE * change
        optimizer.step()
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-5, atol=1e-6)
    assert sum(value.numel() for value in optimizer.state[weight].values() if value.ndim) == 3 + 4


def test_adalomo_of_a_vector_by_hand() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = lomo.AdaLomo([weight])
    optimizer.param_groups[0]["lr"] = RATE
    weight.grad = torch.tensor([0.3, -5.0])
    optimizer.step()
    # The first second moment is the square itself, so that each element's change is one before it is scaled.
    size = 2.5**0.5
    torch.testing.assert_close(weight.detach(), torch.tensor([1 - RATE * size, -2 + RATE * size]))
