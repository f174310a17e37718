"""Gradient descent fused into the backward pass: no gradient outlives the weight that it moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sevenfold.tune.engine import noise
from sevenfold.tune.engine.moving import Guard, InBackward, Named

if TYPE_CHECKING:
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.methods import Moment
    from sevenfold.tune.section import TuneSection

LEAST = 1e-3
"""The least size that AdaLomo takes a weight to have, so that weights of zero can move."""
TINY = 1e-30
"""Added to squared gradients, as in Adafactor."""


class Descent(torch.optim.Optimizer):
    """``w -= rate * g``, computed in float32 and rounded once to the type of w; no state.

    Args:
        weights: What moves; those of type bfloat16 are rounded by chance.
    """

    def __init__(self, weights: Iterable[torch.nn.Parameter]) -> None:
        super().__init__([{"params": list(weights), "factor": 1.0}], {"lr": 0.0})
        self.place = (0, 0)
        """The seed and the step, of which the rounding is a function."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move the weights that have a gradient."""
        for group in self.param_groups:
            for number, weight in enumerate(group["params"]):
                if weight.grad is not None:
                    drawn = noise.generator(weight.device, *self.place, number)
                    noise.subtract(weight, self.change(weight), group["lr"], drawn)

    def change(self, weight: torch.nn.Parameter) -> Tensor:
        """What is taken off a weight, for a rate of 1."""
        gradient: Tensor = weight.grad  # type: ignore[assignment]
        return gradient


class AdaLomo(Descent):
    r"""A rate for each parameter, from means of squared gradients over rows and columns alone.

    Of a gradient G (m x n), with :math:`\beta_t = 1 - t^{-0.8}`: ``r`` and ``c`` are running means of the rows' and
    columns' means of ``G^2``, the second moment is ``V = r c^T / mean(r)``, ``U = G / sqrt(V)``, and
    ``W -= rate * max(1e-3, rms(W)) * U / max(1, rms(U))`` (Lv et al. 2023, arXiv 2310.10195; the factors and the course
    of beta are Adafactor's, Shazeer and Stern 2018, arXiv 1804.04235). A matrix has m + n numbers of state, other
    parameters one for each element.
    """

    def __init__(self, weights: Iterable[torch.nn.Parameter]) -> None:
        super().__init__(weights)
        # Made before any pass: made in a backward pass, the small sums would lie between large activations, and the C
        # library's allocator could not put large ones into their room again.
        for weight in self.param_groups[0]["params"]:
            size = weight.shape
            shapes = {"rows": size[:1], "columns": size[1:]} if len(size) == 2 else {"all": size}
            zeros = {name: torch.zeros(shape, device=weight.device) for name, shape in shapes.items()}
            self.state[weight] = {"step": torch.tensor(0.0), **zeros}

    def change(self, weight: torch.nn.Parameter) -> Tensor:
        """``max(1e-3, rms(W)) * U / max(1, rms(U))``, in the place and type of the gradient."""
        change = super().change(weight)
        for factor in self.inverse_root(self.state[weight], change):
            change.mul_(factor)
        return change.mul_(max(LEAST, rms(weight)) / max(1.0, rms(change)))

    def inverse_root(self, state: dict[str, Any], gradient: Tensor) -> list[Tensor]:
        """``1 / sqrt(V)`` behind one more gradient, as factors that broadcast to its shape."""
        state["step"] += 1
        for name, mean in mean_squares(gradient).items():
            state[name].lerp_(mean, float(state["step"]) ** -0.8)
        if "rows" not in state:
            return [state["all"].rsqrt()]
        return [(state["rows"] / state["rows"].mean()).rsqrt_()[:, None], state["columns"].rsqrt()]


def mean_squares(gradient: Tensor) -> dict[str, Tensor]:
    """Means of a matrix's squares over ``rows`` and ``columns``, float32; ``all`` squares of anything else."""
    if gradient.ndim != 2:
        return {"all": gradient.float().square().add_(TINY)}
    rows, columns = [], torch.zeros(gradient.shape[1], device=gradient.device)
    for part in gradient.split(max(1, noise.PART // gradient.shape[1])):
        squares = part.float().square().add_(TINY)
        rows.append(squares.mean(1))
        columns += squares.sum(0)
    return {"rows": torch.cat(rows), "columns": columns / gradient.shape[0]}


def rms(tensor: Tensor) -> float:
    """The root of the mean square."""
    flat = tensor.detach().reshape(-1)
    squares = sum(float(part.float().square().sum()) for part in flat.split(noise.PART))
    return math.sqrt(squares / tensor.numel())


class Lomo(InBackward):
    """Each weight moves in the backward pass; a norm of the gradient takes a backward pass of its own before that.

    Args:
        forward: The network.
        section: The recipe's section: objective, clipping by norm.
        weights: What moves, by name.
        optimizer: Moves one weight at a time.
        clip_value: The largest size of an element of the gradient; None: any.
    """

    cautious = "lower tune.learning_rate, or set tune.clip: 1.0, which looks at all gradients before a weight moves"

    def __init__(
        self, forward: Forward, section: TuneSection, weights: Named, optimizer: Descent, clip_value: float | None
    ) -> None:
        super().__init__(forward, section, weights, {}, optimizer)
        self.descent, self.clip_value = optimizer, clip_value
        self.share = 1.0

    def begin(self, moment: Moment) -> None:
        """Rounding is a function of seed and step."""
        self.descent.place = (moment.seed, moment.step)

    def step(self, batch: list[Pass], guard: Guard) -> tuple[float, float]:
        """With a norm to keep to: once backward for the norm, the same once more to move."""
        if self.clip is None:
            return super().step(batch, guard)
        # Both rounds draw the same random numbers (dropout).
        with torch.random.fork_rng():
            loss, norm = self.visit(batch, lambda loss: None, lambda weight: None)
        guard(loss, norm)
        self.share = min(1.0, self.clip / (norm + 1e-6))
        return self.visit(batch, lambda loss: None, self.move)

    def move(self, weight: torch.nn.Parameter) -> None:
        """Clip the only gradient that there is, and move its weight."""
        gradient: Tensor = weight.grad  # type: ignore[assignment]
        gradient.mul_(self.share)
        if self.clip_value is not None:
            gradient.clamp_(-self.clip_value, self.clip_value)
        self.optimizer.step()
