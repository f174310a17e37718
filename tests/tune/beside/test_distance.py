"""The distance from the start: worked by hand, and beside the same written in tensors."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sevenfold.record import Entry
from sevenfold.tune import terms
from sevenfold.tune.beside._distance import Distance, Held
from sevenfold.tune.engine import noise
from sevenfold.tune.methods import METHODS
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build
from tests.tune.methods.test_contract import FIELDS, files  # noqa: F401 - adapters that a method stands on


def test_worked_by_hand() -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    start = torch.tensor([0.5, 0.0, 3.0])
    squares = Distance.apply(weight, start, None, 2)
    squares.backward()
    assert float(squares.detach()) == pytest.approx((0.25 + 4) / 2)
    assert weight.grad.tolist() == [0.5, -2.0, 0.0]
    weight.grad = None
    sizes = Distance.apply(weight, start, torch.tensor([2.0, 1.0, 1.0]), 1)
    sizes.backward()
    assert float(sizes.detach()) == pytest.approx(2 * 0.5 + 2)
    assert weight.grad.tolist() == [2.0, -1.0, 0.0]


@pytest.mark.parametrize("power", [1, 2])
def test_equal_to_tensors_also_in_parts(power, monkeypatch) -> None:
    monkeypatch.setattr(noise, "PART", 7)
    drawn = torch.Generator().manual_seed(1)
    weights = {name: nn.Parameter(torch.randn(shape, generator=drawn)) for name, shape in (("a", (5, 4)), ("b", (3,)))}
    factors = {name: torch.rand(weight.shape, generator=drawn) for name, weight in weights.items()}
    held = Held("held", weights, 0.3, power, factors)
    starts = {name: weight.detach().clone() for name, weight in weights.items()}
    with torch.no_grad():
        for weight in weights.values():
            weight += torch.randn(weight.shape, generator=drawn)
    held.penalty().backward()
    found = {name: weight.grad.clone() for name, weight in weights.items()}
    plain = sum((factors[name] * (weight - starts[name]).abs() ** power).sum() for name, weight in weights.items())
    loss = 0.3 * plain / power
    assert float(held.penalty()) == pytest.approx(float(loss), rel=1e-6)
    for name, gradient in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
        torch.testing.assert_close(found[name], gradient)


def test_bfloat16_weights_have_gradients_of_their_type() -> None:
    weight = nn.Parameter(torch.ones(3, 2, dtype=torch.bfloat16))
    held = Held("held", {"a": weight}, 1.0, 2)
    with torch.no_grad():
        weight += 1
    held.penalty().backward()
    assert weight.grad.dtype == torch.bfloat16
    assert float(held.penalty()) == 3.0


@pytest.mark.parametrize("name", [name for name in METHODS.names() if METHODS.find(name).trains])
def test_a_start_that_is_made_again_has_the_same_bits(name, tiny_model, environment, tmp_path) -> None:
    """A resumed training builds its start anew and holds the weights to that."""
    section = TuneSection.model_validate({"method": {name: FIELDS.get(name, {})}, "beside": ["l2_start"]})
    starts = []
    for _ in range(2):
        environment.start()
        forward = build(section, tiny_model, environment)
        terms.start(section, forward, tiny_model, environment, Entry(tmp_path))
        starts.append([start for _, start, _ in forward.terms[0].held])
    assert starts[0]
    assert all(torch.equal(one, other) for one, other in zip(*starts, strict=True))


def test_a_strong_pull_holds_the_weights(tiny_model, environment, dataset, tmp_path) -> None:
    from sevenfold.tune.stage import tune

    far = []
    for strength in (1e-6, 100.0):
        section = TuneSection.model_validate(
            {"method": "full", "beside": [{"l2_start": strength}], "learning_rate": 1e-3, "steps": 6, "batch": 4}
        )
        entry = Entry(tmp_path / str(strength))
        entry.folder.mkdir()
        tuned = tune(section, dataset, tiny_model, environment, entry)
        base = tiny_model.network(torch.float32).state_dict()
        moved = tuned.network(tiny_model, torch.float32).state_dict()
        far.append(sum(float((moved[name] - base[name]).square().sum()) for name in base))
    assert far[1] < 0.5 * far[0]
