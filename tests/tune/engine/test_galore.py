"""Adam in projected spaces against the plain formula, torch's AdamW and the singular value decomposition."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from sevenfold.errors import TrainingError
from sevenfold.tune.engine import galore

BETAS, EPS, RATE = (0.9, 0.99), 1e-8, 0.1


def optimizer(weight, rank, every=2, scale=0.5, decay=0.0) -> galore.Galore:
    groups = [{"params": [weight], "factor": 1.0, "rank": rank, "weight_decay": decay}]
    made = galore.Galore(groups, BETAS, EPS, every, scale)
    made.param_groups[0]["lr"] = RATE
    return made


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (6, 6)])
def test_steps_by_hand(shape) -> None:
    """Algorithm 2 of the paper with its own decomposition; a wide matrix is projected from the left."""
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(shape))
    tried = optimizer(weight, rank=2, decay=0.1)
    first = second = 0.0
    for step in range(1, 6):
        gradient = weight.grad = torch.randn(shape)
        if step in (1, 3, 5):
            left, _, right = torch.linalg.svd(gradient)
            basis = left[:, :2] if shape[0] <= shape[1] else right[:2].T
            # The sign of a singular vector is nobody's choice, and the moments go on in the new space.
            basis = basis * torch.sign((basis * galore.strongest(gradient, 2)).sum(0))
        small = basis.T @ gradient if shape[0] <= shape[1] else gradient @ basis
        first = BETAS[0] * first + (1 - BETAS[0]) * small
        second = BETAS[1] * second + (1 - BETAS[1]) * small**2
        change = first / (1 - BETAS[0] ** step) / ((second / (1 - BETAS[1] ** step)).sqrt() + EPS)
        whole = basis @ change if shape[0] <= shape[1] else change @ basis.T
        expected = weight.detach() * (1 - RATE * 0.1) - RATE * 0.5 * whole
        tried.step()
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(5, 9), (7,)])
def test_without_a_projection_it_is_adamw(shape) -> None:
    torch.manual_seed(0)
    start = torch.randn(shape)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    tried = optimizer(ours, rank=None, decay=0.1)
    plain = torch.optim.AdamW([theirs], lr=RATE, betas=BETAS, eps=EPS, weight_decay=0.1)
    for _ in range(5):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        tried.step()
        plain.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(40, 90), (90, 40)])
def test_the_strongest_directions_are_those_of_the_singular_value_decomposition(shape) -> None:
    """Of a gradient whose singular values fall as real ones do, over five orders of magnitude."""
    torch.manual_seed(0)
    left, right = torch.linalg.qr(torch.randn(shape[0], 40))[0], torch.linalg.qr(torch.randn(shape[1], 40))[0]
    values = torch.logspace(0, -5, 40)
    gradient = left @ values.diag() @ right.T
    basis = galore.strongest(gradient, 8)
    assert torch.allclose(basis.T @ basis, torch.eye(8), atol=1e-5)
    expected = (left if shape[0] <= shape[1] else right)[:, :8]
    assert float(torch.linalg.svdvals(expected.T @ basis).min()) > 1 - 1e-4
    left_over = gradient.clone()
    galore.add_up(left_over, galore.down(gradient, basis), basis, -1.0)
    assert float(left_over.norm()) == pytest.approx(float(values[8:].norm()), rel=1e-3)


@pytest.mark.parametrize("shape", [(24, 64), (64, 24)])
def test_the_state_is_what_the_paper_counts(shape) -> None:
    """m n weights, m <= n: m r of the projection and 2 n r of the moments (table 1 of the paper)."""
    weight = torch.nn.Parameter(torch.randn(shape))
    tried = optimizer(weight, rank=4)
    weight.grad = torch.randn(shape)
    tried.step()
    kept = sum(value.numel() for value in tried.state[weight].values() if value.ndim)
    assert kept == 24 * 4 + 2 * 64 * 4 == galore.state_numbers(weight, 4)
    assert galore.state_numbers(weight, None) == 2 * 24 * 64


def test_a_projection_holds_for_some_steps() -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(5, 9))
    tried = optimizer(weight, rank=2, every=3)
    seen = []
    for _ in range(7):
        weight.grad = torch.randn(5, 9)
        tried.step()
        seen.append(tried.state[weight]["basis"].clone())
    same = [torch.equal(*pair) for pair in pairwise(seen)]
    assert same == [True, True, False, True, True, False]


def test_what_no_projection_makes_smaller_is_not_projected() -> None:
    assert galore.shrinks(torch.empty(17, 40), 16)
    assert not galore.shrinks(torch.empty(16, 40), 16)
    assert not galore.shrinks(torch.empty(400), 16)
    assert not galore.shrinks(torch.empty(40, 40, 3), 16)


def test_a_gradient_that_is_not_a_number_is_said() -> None:
    weight = torch.nn.Parameter(torch.zeros(5, 9))
    weight.grad = torch.full((5, 9), float("nan"))
    with pytest.raises(TrainingError, match=r"not a number, so nothing can be projected"):
        optimizer(weight, rank=2).step()
