"""The chunked distance to a teacher equals the plain one and TRL's, in value and in every gradient."""

from __future__ import annotations

import math

import pytest
import torch

from sevenfold.tune.engine import distance
from sevenfold.tune.engine.distance import Measure, compared, divergence
from sevenfold.tune.engine.heads import ChunkedHead

TRL = {0.0: 2.6295363267, 0.25: 0.4557237037, 0.5: 0.5946637433, 0.9: 0.2261092362, 1.0: 2.6154808644}
"""By beta what TRL 1.16.0 gives for :func:`logits`, summed over targets:
``GKDTrainer.generalized_jsd_loss(student, teacher, beta=beta, temperature=2.0, reduction="sum")``."""


def logits() -> tuple[torch.Tensor, torch.Tensor]:
    """A student's and a teacher's logits of six targets over nine tokens, without chance."""
    places = torch.arange(54, dtype=torch.float64).view(6, 9)
    return 2 * torch.sin(places), 2 * torch.cos(1.7 * places)


def naive(student: torch.Tensor, teacher: torch.Tensor, beta: float, temperature: float) -> torch.Tensor:
    """The paper's formula, target by target."""
    p, q = (torch.softmax(one / temperature, -1) for one in (teacher, student))

    def kl(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a * (a / b).log()).sum(-1)

    if beta in (0, 1):
        found = kl(q, p) if beta else kl(p, q)
    else:
        m = beta * p + (1 - beta) * q
        found = beta * kl(p, m) + (1 - beta) * kl(q, m)
    return temperature**2 * found


def test_a_case_by_hand() -> None:
    # The teacher is sure by half, the student by a quarter: KL(p||q) = 1/2 ln 2 + 1/2 ln(2/3).
    told, said = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75]]).log()
    assert float(divergence(said, told, 0)[0]) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3), abs=1e-6)
    assert float(divergence(said, told, 1)[0]) == pytest.approx(0.25 * math.log(1 / 2) + 0.75 * math.log(1.5), abs=1e-6)
    # m = (3/8, 5/8)
    between = 0.5 * (0.5 * math.log(4 / 3) + 0.5 * math.log(4 / 5)) + 0.5 * (
        0.25 * math.log(2 / 3) + 0.75 * math.log(6 / 5)
    )
    assert float(divergence(said, told, 0.5)[0]) == pytest.approx(between, abs=1e-6)


@pytest.mark.parametrize("beta", TRL)
def test_equals_trl(beta: float) -> None:
    student, teacher = logits()
    values, _ = Measure(beta, 2.0).of(student, teacher)
    assert float(values.sum()) / 4 == pytest.approx(TRL[beta], abs=1e-5)


@pytest.mark.parametrize("shared", [None, 41])
@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("cap", [None, 3.0])
def test_equals_the_plain_computation(beta, frozen, shared, cap, monkeypatch) -> None:
    monkeypatch.setattr(distance, "chunk_of", lambda vocabulary: 7)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(20, 16, generator=generator, requires_grad=True)
    weight = torch.randn(50, 16, generator=generator, requires_grad=not frozen)
    bias = torch.randn(50, generator=generator, requires_grad=not frozen)
    told = torch.randn(20, 50 if shared is None else 64, generator=generator)
    labels = torch.randint(41, (20,), generator=generator)
    upstream = torch.randn(20, 2, generator=generator)
    ids = None if shared is None else torch.arange(shared)

    head = ChunkedHead(network(weight, bias), torch.float32, cap=cap)
    found = compared(head, hidden, labels, lambda rows: told[rows].clone(), Measure(beta, 1.5, ids))
    plain_logits = hidden @ weight.t() + bias
    plain_logits = plain_logits if cap is None else cap * torch.tanh(plain_logits / cap)
    kept = slice(None) if shared is None else slice(shared)
    expected = torch.stack(
        [
            torch.log_softmax(plain_logits, -1).gather(1, labels[:, None])[:, 0],
            naive(plain_logits[:, kept], told[:, kept], beta, 1.5),
        ],
        1,
    )
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    moving = (hidden,) if frozen else (hidden, weight, bias)
    slopes = zip(
        torch.autograd.grad(found, moving, upstream), torch.autograd.grad(expected, moving, upstream), strict=True
    )
    for ours, theirs in slopes:
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def network(weight: torch.Tensor, bias: torch.Tensor):
    """Just enough of a network for a head: its output embeddings."""

    class Embeddings:
        def get_output_embeddings(self):
            return self

    found = Embeddings()
    found.weight, found.bias = weight, bias
    return found


def test_a_teacher_that_says_the_same_is_no_distance_away() -> None:
    same = torch.randn(5, 12)
    for beta in (0, 0.5, 1):
        values, slopes = Measure(beta).of(same, same.clone())
        assert float(values.abs().max()) < 1e-6
        assert float(slopes.abs().max()) < 1e-6


def test_logits_never_exist_at_once(monkeypatch) -> None:
    monkeypatch.setattr(distance, "chunk_of", lambda vocabulary: 7)
    asked: list[int] = []

    def teacher(rows: slice) -> torch.Tensor:
        asked.append(len(range(20)[rows]))
        return torch.zeros(asked[-1], 50)

    weight, bias = torch.randn(50, 16), torch.randn(50)
    compared(
        ChunkedHead(network(weight, bias), torch.float32),
        torch.randn(20, 16),
        torch.zeros(20, dtype=torch.long),
        teacher,
        Measure(0.5),
    )
    assert asked == [7, 7, 6]
