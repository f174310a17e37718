"""Numbers that come again from their seed, and rounding whose mean is exact."""

from __future__ import annotations

import pytest
import torch

from sevenfold.tune.engine import noise

CPU = torch.device("cpu")


def drawn(*numbers: int) -> torch.Generator:
    return noise.generator(CPU, *numbers)


def test_what_is_drawn_comes_again_and_differs_elsewhere() -> None:
    weights = [torch.zeros(100) for _ in range(4)]
    for weight, place in zip(weights, [(17, 3, 0), (17, 3, 0), (17, 3, 1), (17, 4, 0)], strict=True):
        noise.add_normal(weight, 1.0, drawn(*place))
    assert torch.equal(weights[0], weights[1])
    assert not any(torch.equal(weights[0], other) for other in weights[2:])


def test_a_large_weight_is_worked_on_in_parts(monkeypatch) -> None:
    monkeypatch.setattr(noise, "PART", 64)
    weight = torch.zeros(30, 10)
    noise.add_normal(weight, 2.0, drawn(1))
    assert abs(float(weight.mean())) < 0.4
    assert float(weight.std()) == pytest.approx(2.0, rel=0.15)
    assert len(weight.unique()) == 300
    noise.add_normal(weight, -2.0, drawn(1))
    assert torch.equal(weight, torch.zeros(30, 10))


def test_rounding_goes_to_a_neighbour_and_its_mean_is_exact() -> None:
    exact = torch.full((100_000,), 1 + 2**-10)
    found = noise.rounded(exact.clone(), drawn(0)).float()
    assert found.unique().tolist() == [1.0, 1 + 2**-7]
    assert float(found.mean()) == pytest.approx(1 + 2**-10, abs=1e-4)
    negative = noise.rounded(-exact, drawn(0)).float()
    assert torch.equal(negative, -found)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.75, float("inf")])
def test_what_bfloat16_can_hold_stays(value) -> None:
    assert noise.rounded(torch.full((1000,), value), drawn(0)).unique().tolist() == [value]


def test_small_steps_are_lost_in_the_nearest_and_not_by_chance() -> None:
    nearest, chance = torch.ones(10_000, dtype=torch.bfloat16), torch.ones(10_000, dtype=torch.bfloat16)
    change = torch.ones(10_000)
    for step in range(100):
        nearest.sub_(change.bfloat16(), alpha=1e-3)
        noise.subtract(chance, change, 1e-3, drawn(step))
    assert nearest.unique().tolist() == [1.0]
    assert float(chance.float().mean()) == pytest.approx(0.9, abs=1e-3)


def test_float32_is_the_plain_subtraction() -> None:
    torch.manual_seed(0)
    weight, change = torch.randn(3, 5), torch.randn(3, 5)
    expected = weight - 0.1 * change
    noise.subtract(weight, change, 0.1, drawn(0))
    torch.testing.assert_close(weight, expected, rtol=1e-6, atol=0)
