"""Several low-rank changes beside one frozen layer: the base multiplies all tokens, its own change adds to each."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sevenfold.errors import ModelError
from sevenfold.tune.engine import bases, routes
from sevenfold.tune.engine.lora import Group, LoraLinear
from sevenfold.tune.engine.routes import Segment

Grid = Sequence[Sequence[Tensor]]
"""Weights by task and, in it, by layer."""


class RoutedProducts(torch.autograd.Function):
    """``y_i = x W_i^T + b_i``, and to the tokens of task t is added ``scale_i * (x A_it^T) B_it^T``.

    Equals, for each segment ``x_s`` of one task and each layer, ``F.linear(x_s, W, b) + scale * F.linear(F.linear(x_s,
    A_t), B_t)``, one behind the other. Layers i read one input and share the product with all ``A_it`` of a task. The
    products with W, which are nearly all of the work, are made once for all tokens, so a token costs what it costs with
    one adapter. Only x is kept. A task without tokens gets no gradient, not one of zeros: its weights do not move.

    Shapes: x is ``... x I`` with T tokens, W is ``O x I``, A is ``R x I``, B is ``O x R``.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, layers: Sequence[nn.Module], scales: Sequence[float], found: Sequence[Segment], *pairs: Any
    ) -> Any:
        """The layers' outputs, each ``... x O``; ``pairs`` are the A of all layers, task after task, then all B."""
        x_TI = x.reshape(-1, x.shape[-1])
        ctx.tasks = len(pairs) // 2 // len(layers)
        downs, ups = by_task(pairs[: len(pairs) // 2], len(layers)), by_task(pairs[len(pairs) // 2 :], len(layers))
        used = sorted({segment.task for segment in found})
        ctx.ranks = {task: [len(a) for a in downs[task]] for task in used}
        a_RI = {task: torch.cat(list(downs[task])).to(x.dtype) for task in used}
        b_OR = {task: [(b * s).to(x.dtype) for b, s in zip(ups[task], scales, strict=True)] for task in used}
        # Not views: a network may change what it is given in place.
        outputs = [F.linear(x, bases.dense(layer, x.dtype), bases.bias(layer, x.dtype)) for layer in layers]
        for part in found:
            zs = F.linear(x_TI[part.start : part.end], a_RI[part.task]).split(ctx.ranks[part.task], -1)
            for y, z_TR, b in zip(outputs, zs, b_OR[part.task], strict=True):
                y.view(-1, y.shape[-1])[part.start : part.end].addmm_(z_TR, b.t())
        ctx.save_for_backward(x, *a_RI.values(), *(b for task in used for b in b_OR[task]))
        ctx.layers, ctx.scales, ctx.found, ctx.used = layers, scales, found, used
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        """Gradients of x, of all A and of all B; None for those of tasks without tokens."""
        x, *rest = ctx.saved_tensors
        a_RI = dict(zip(ctx.used, rest, strict=False))
        b_OR = dict(zip(ctx.used, by_task(rest[len(ctx.used) :], len(ctx.layers)), strict=True))
        x_TI = x.reshape(-1, x.shape[-1])
        dys = [dy.reshape(-1, dy.shape[-1]) for dy in gradients]
        dx = base_gradient(dys, ctx.layers, x.dtype) if ctx.needs_input_grad[0] else None
        da: dict[int, Tensor] = {}
        db: dict[int, list[Tensor]] = {}
        for part in ctx.found:
            own, a = slice(part.start, part.end), a_RI[part.task]
            dz_TR = torch.cat([dy[own] @ b for dy, b in zip(dys, b_OR[part.task], strict=True)], -1)
            if dx is not None:
                dx[own].addmm_(dz_TR, a)
            zs = F.linear(x_TI[own], a).split(ctx.ranks[part.task], -1)
            ups = [(dy[own].t() @ z).float() * s for dy, z, s in zip(dys, zs, ctx.scales, strict=True)]
            down = (dz_TR.t() @ x_TI[own]).float()
            da[part.task] = da[part.task] + down if part.task in da else down
            db[part.task] = [b + c for b, c in zip(db[part.task], ups, strict=True)] if part.task in db else ups
        none = [None] * len(ctx.layers)
        downs = [g for task in range(ctx.tasks) for g in (da[task].split(ctx.ranks[task]) if task in da else none)]
        ups_all = [g for task in range(ctx.tasks) for g in db.get(task, none)]
        return (None if dx is None else dx.view(x.shape)), None, None, None, *downs, *ups_all


def by_task(weights: Sequence[Tensor], layers: int) -> Grid:
    """A flat list of weights, task after task, as a list a task."""
    return [weights[start : start + layers] for start in range(0, len(weights), layers)]


def base_gradient(dys: Sequence[Tensor], layers: Sequence[nn.Module], dtype: torch.dtype) -> Tensor:
    """What the gradients of the outputs are at the input, through the frozen weights alone, ``T x I``."""
    dx = dys[0] @ bases.dense(layers[0], dtype)
    for dy_TO, layer in zip(dys[1:], layers[1:], strict=True):
        dx.addmm_(dy_TO, bases.dense(layer, dtype))
    return dx


class SeveralLinear(LoraLinear):
    """A linear layer with one low-rank change a task; parameters are named as PEFT names those of several adapters.

    Where nobody says which tokens are of which task (generation, a plain call), all are of task ``answers``.

    Args:
        base: The layer to adapt; it is kept as it is and does not move.
        rank: Rank of each change.
        scale: Factor of each change.
        tasks: Their names.
        same_start: Whether all begin with the same A.
    """

    def __init__(self, base: nn.Module, rank: int, scale: float, tasks: Sequence[str], same_start: bool = True) -> None:
        super().__init__(base, rank, scale)
        # Of what begins alike only one is drawn: the same numbers as with one adapter.
        more = [self if same_start else LoraLinear(base, rank, scale) for _ in tasks[1:]]
        pairs = [(deepcopy(one.lora_A), deepcopy(one.lora_B)) for one in (self, *more)]
        self.tasks, self.answers = tuple(tasks), 0
        self.lora_A: Any = nn.ModuleDict({task: down for task, (down, _) in zip(tasks, pairs, strict=True)})
        self.lora_B: Any = nn.ModuleDict({task: up for task, (_, up) in zip(tasks, pairs, strict=True)})
        self.group = SeveralGroup([self])

    def pair(self, task: str) -> tuple[nn.Parameter, nn.Parameter]:
        """A task's A, ``R x I``, and B, ``O x R``."""
        return self.lora_A[task].weight, self.lora_B[task].weight

    def factors(self) -> tuple[Tensor, Tensor]:
        """The pair of the task that answers."""
        return self.pair(self.tasks[self.answers])


class SeveralGroup(Group):
    """Layers with several changes behind one input."""

    @torch.compiler.disable
    def products(self, x: Tensor) -> tuple[Tensor, ...]:
        """All members' outputs; each token's change is that of its task.

        Raises:
            ModelError: The layer does not see the pass's tokens, all and in order, as an expert of a mixture does not.
        """
        members: list[Any] = self.members
        count = x.numel() // x.shape[-1]
        found = routes.over(count) or (Segment(members[0].answers, 0, count),)
        if routes.tokens(found) != count:
            raise ModelError(
                f"an adapted layer reads {count} tokens of a pass of {routes.tokens(found)}: which task they are of is "
                "not known there",
                expected="layers that read all tokens of a pass in order",
                next_step="leave such layers out of tune.method.several.targets, or train one adapter at a time",
            )
        layers, scales = [part.base_layer for part in members], [part.scale for part in members]
        pairs = [[part.pair(task) for part in members] for task in members[0].tasks]
        downs, ups = ([pair[side] for row in pairs for pair in row] for side in (0, 1))
        outputs: tuple[Tensor, ...] = RoutedProducts.apply(x, layers, scales, found, *downs, *ups)
        return outputs


def answer_as(network: nn.Module, task: str) -> None:
    """Let a network answer with one task's change wherever nobody says which task it is.

    Raises:
        ModelError: There is no such task.
    """
    for part in network.modules():
        if isinstance(part, SeveralLinear):
            if task not in part.tasks:
                raise ModelError(f"there is no adapter for the task {task!r}", value=task, alternatives=part.tasks)
            part.answers = part.tasks.index(task)
