"""Adam in the space of a gradient's strongest directions: its moments are as small as that space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sevenfold.errors import TrainingError


def shrinks(weight: Tensor, rank: int) -> bool:
    """Whether a projection to this rank makes a weight's gradient smaller."""
    return weight.ndim == 2 and rank < min(weight.shape)


def state_numbers(weight: Tensor, rank: int | None) -> int:
    """Numbers of a weight's state: ``m r + 2 n r`` with m the shorter side of a projected matrix, else 2 an element."""
    if rank is None:
        return 2 * weight.numel()
    short, long = sorted(weight.shape)
    return short * rank + 2 * long * rank


class Galore(torch.optim.Optimizer):
    r"""AdamW whose gradients are projected, and whose steps are projected back.

    Of a gradient G (m x n, m <= n; else all is transposed) with the r strongest left singular vectors P (m x r):
    ``R = P^T G``, N is Adam's step for R, ``W -= rate * scale * P N`` (Zhao et al. 2024, arXiv 2403.03507, algorithm
    2). P is computed again from the gradient of every ``every``-th step; Adam's moments go on in the new space. Without
    a projection it equals torch's AdamW.

    Args:
        groups: Each has ``params``, ``factor``, ``weight_decay`` and ``rank`` (None: no projection).
        betas: Decays of the two moments.
        eps: Added to the root of the second moment.
        every: Steps for which a projection holds.
        scale: Factor of the steps of projected weights.
    """

    def __init__(
        self, groups: list[dict[str, Any]], betas: tuple[float, float], eps: float, every: int, scale: float
    ) -> None:
        super().__init__(groups, {"lr": 0.0})
        self.betas, self.eps, self.every, self.scale = betas, eps, every, scale

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move the weights that have a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self.move(weight, self.state[weight], group)

    def move(self, weight: torch.nn.Parameter, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of one weight."""
        rate, rank = group["lr"], group["rank"]
        gradient: Tensor = weight.grad  # type: ignore[assignment]
        step = state.setdefault("step", torch.tensor(0.0))
        if rank is not None and int(step) % self.every == 0:
            state["basis"] = strongest(gradient, rank)
        step += 1
        weight.mul_(1 - rate * group["weight_decay"])
        if rank is None:
            first, root = self.moments(state, gradient)
            weight.addcdiv_(first, root, value=-rate)
        else:
            first, root = self.moments(state, down(gradient, state["basis"]))
            add_up(weight, first / root, state["basis"], -rate * self.scale)

    def moments(self, state: dict[str, Any], gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Numerator and denominator of Adam's step for a rate of 1, behind one more gradient."""
        if "exp_avg" not in state:
            state.update(exp_avg=torch.zeros_like(gradient), exp_avg_sq=torch.zeros_like(gradient))
        first, second = state["exp_avg"], state["exp_avg_sq"]
        first.lerp_(gradient, 1 - self.betas[0])
        second.mul_(self.betas[1]).addcmul_(gradient, gradient, value=1 - self.betas[1])
        unbiased = [1 - beta ** int(state["step"]) for beta in self.betas]
        return first, (second / unbiased[1]).sqrt_().add_(self.eps).mul_(unbiased[0])


def strongest(gradient: Tensor, rank: int) -> Tensor:
    """The singular vectors of the largest singular values on the gradient's shorter side, ``m x r``.

    They are the eigenvectors of ``G G^T``, which is ``m x m``: of embeddings (49,152 x 576) that is far less than a
    decomposition of the gradient itself. Equals ``torch.linalg.svd(G).U[:, :r]`` up to signs; directions whose
    singular values are below 3e-4 of the largest are lost in float32, and add nothing that could be noticed.

    Raises:
        TrainingError: The gradient is not a number.
    """
    short = gradient if gradient.shape[0] <= gradient.shape[1] else gradient.t()
    squares = short @ short.t()
    if not torch.isfinite(squares).all():
        raise TrainingError(
            "a gradient is not a number, so nothing can be projected; the last checkpoint is from before",
            next_step="lower tune.learning_rate, or use setup.precision: float32",
        )
    return torch.linalg.eigh(squares).eigenvectors[:, -rank:].flip(-1).contiguous()


def down(gradient: Tensor, basis: Tensor) -> Tensor:
    """A gradient in the small space: ``P^T G`` (r x n), or ``G P`` (m x r) where the columns are the shorter side."""
    return basis.t() @ gradient if gradient.shape[0] <= gradient.shape[1] else gradient @ basis


def add_up(weight: Tensor, small: Tensor, basis: Tensor, factor: float) -> None:
    """Add a step of the small space to the weight: ``W += factor * P s``, or ``s P^T``; nothing of its size is made."""
    if weight.shape[0] <= weight.shape[1]:
        weight.addmm_(basis, small, alpha=factor)
    else:
        weight.addmm_(small, basis.t(), alpha=factor)
