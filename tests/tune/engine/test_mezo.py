"""Slopes along random directions against autograd's, and weights that come back."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from sevenfold.errors import TrainingError
from sevenfold.record import Entry
from sevenfold.tune import accumulate
from sevenfold.tune.engine import noise
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.mezo import Mezo
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.methods import Moment
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, encoded_split

EPS, RATE = 1e-3, 1e-2


def section(clip=None, **fields) -> TuneSection:
    return TuneSection.model_validate({"method": {"mezo": {"eps": EPS, **fields}}, "clip": clip})


@pytest.fixture
def rows(dataset, tiny_model, tmp_path):
    return encoded_split("train", section(), dataset, tiny_model, Entry(tmp_path))


@pytest.fixture
def batch(rows):
    return passes(rows.sequences(range(4)), 10_000)


def start(forward, made: TuneSection) -> Mezo:
    mover = made.method.mover(forward, made, made.method.trainable(forward.network))
    mover.begin(Moment(3, 10, 17))
    mover.set_rate(RATE)
    return mover


def direction_of(mover: Mezo, number: int) -> list[torch.Tensor]:
    """The direction that a step draws, all of it at once."""
    drawn = [torch.zeros_like(weight) for weight in mover.weights]
    for index, part in enumerate(drawn):
        noise.add_normal(part, 1.0, noise.generator(part.device, 17, 3, number, index))
    return drawn


def copies(mover: Mezo) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in mover.weights]


def slope_by_autograd(forward, made, batch, direction) -> float:
    accumulate.gradients(forward, made.objective, batch)
    weights = [weight for weight in forward.network.parameters() if weight.requires_grad]
    slope = sum(float((weight.grad * part).sum()) for weight, part in zip(weights, direction, strict=True))
    forward.network.zero_grad(set_to_none=True)
    return slope


def ignore(loss: float, norm: float) -> None:
    return None


@pytest.mark.parametrize("tokens", [10_000, 150])
def test_the_slope_is_that_of_autograd(tokens, rows, tiny_model, environment) -> None:
    made = section()
    batch = passes(rows.sequences(range(6)), tokens)
    forward = build(made, tiny_model, environment)
    mover = start(forward, made)
    expected = slope_by_autograd(forward, made, batch, direction_of(mover, 0))
    loss, norm = mover.step(batch, ignore)
    assert norm == pytest.approx(abs(expected), rel=2e-2)
    with torch.no_grad():
        assert loss == pytest.approx(
            sum(float(part) for part in accumulate.losses(forward, made.objective, batch)), 0.02
        )


@pytest.mark.parametrize(("directions", "clip"), [(1, None), (3, None), (1, 0.01)])
def test_a_step_is_the_plain_formula(directions, clip, batch, tiny_model, environment) -> None:
    made = section(clip, directions=directions)
    forward = build(made, tiny_model, environment)
    mover = start(forward, made)
    expected = copies(mover)

    @torch.no_grad()
    def loss_at(direction, factor: float) -> float:
        for weight, part in zip(mover.weights, direction, strict=True):
            weight.add_(part, alpha=factor)
        loss = sum(float(part) for part in accumulate.losses(forward, made.objective, batch))
        for weight, kept in zip(mover.weights, before, strict=True):
            weight.copy_(kept)
        return loss

    before = copies(mover)
    for number in range(directions):
        direction = direction_of(mover, number)
        slope = (loss_at(direction, EPS) - loss_at(direction, -EPS)) / (2 * EPS)
        slope = slope if clip is None else math.copysign(min(abs(slope), clip), slope)
        for weight, part in zip(expected, direction, strict=True):
            weight.sub_(RATE * slope * part / directions)
    mover.step(batch, ignore)
    largest = max(
        float((found.detach() - wanted).abs().max()) for found, wanted in zip(mover.weights, expected, strict=True)
    )
    moved = max(float((found.detach() - kept).abs().max()) for found, kept in zip(mover.weights, before, strict=True))
    assert largest < 1e-2 * moved


def test_weights_come_back_within_a_few_roundings(batch, tiny_model, environment) -> None:
    made = section()
    forward = build(made, tiny_model, environment)
    mover = start(forward, made)
    mover.set_rate(0.0)
    before = copies(mover)
    steps = 25
    for step in range(steps):
        mover.begin(Moment(step, steps, 17))
        mover.step(batch, ignore)
    for weight, kept in zip(mover.weights, before, strict=True):
        # Three additions a step, each rounded by at most half a unit in the last place of what stands there then.
        bound = 3 * steps * 2**-24 * 2 * (kept.abs() + 6 * EPS)
        assert bool(((weight - kept).abs() <= bound).all())
    drift = torch.cat([(weight - kept).flatten() for weight, kept in zip(mover.weights, before, strict=True)])
    assert float(drift.detach().square().mean().sqrt()) < 1e-7


def test_nothing_is_kept_of_the_forward_pass(batch, tiny_model, environment) -> None:
    made = section()
    mover = start(build(made, tiny_model, environment), made)
    kept = []

    def pack(tensor):
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        mover.step(batch, ignore)
    assert not kept
    assert all(weight.grad is None for weight in mover.weights)
    assert not mover.optimizer.state


def test_the_guard_finds_the_weights_in_their_places(batch, tiny_model, environment) -> None:
    made = section()
    mover = start(build(made, tiny_model, environment), made)
    before = copies(mover)

    def refuse(loss: float, norm: float) -> None:
        raise TrainingError("no")

    with pytest.raises(TrainingError):
        mover.step(batch, refuse)
    for weight, kept in zip(mover.weights, before, strict=True):
        torch.testing.assert_close(weight.detach(), kept, rtol=0, atol=3e-7)


def test_both_sides_draw_the_same_dropout(batch) -> None:
    """Without that the slope would be the difference of two masks, divided by a small number."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 400, "n_embd": 32, "n_layer": 2, "n_head": 2, "initializer_range": 0.1}
    config = GPT2Config(**sizes, resid_pdrop=0.3, embd_pdrop=0.3, attn_pdrop=0.0, bos_token_id=1, eos_token_id=2)
    network = GPT2LMHeadModel(config).train()
    made = section()
    made.method.attach(network)
    forward = Forward(network, torch.float32)
    network.train()
    mover = start(forward, made)
    with torch.random.fork_rng():
        torch.manual_seed(noise.seed(17, 3, 0, len(mover.weights)))
        expected = slope_by_autograd(forward, made, batch, direction_of(mover, 0))
    drawn = torch.get_rng_state()
    _, norm = mover.step(batch, ignore)
    assert norm == pytest.approx(abs(expected), rel=2e-2)
    assert torch.equal(torch.get_rng_state(), drawn)
