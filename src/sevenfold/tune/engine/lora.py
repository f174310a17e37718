"""Frozen linear layers that read the same input, and their low-rank changes, in one pass that saves only the input."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sevenfold.tune.engine import bases


class LoraProducts(torch.autograd.Function):
    """``y_i = x W_i^T + b_i + scale_i * (x A_i^T) B_i^T`` for layers i that read one input, products at its type.

    Equals the plain expression ``F.linear(x, W, b) + scale * F.linear(F.linear(x, A), B)`` of each layer. All ``x A^T``
    are one product. Only ``x`` is kept for the backward pass: ``x A^T`` is computed again there, which costs
    ``rank / output`` of a layer's product, and a quantised W is unpacked again. The gradients of ``x`` add up inside
    the products. No gradient is computed for W and b.

    Shapes: x is ``... x I``, W is ``O x I``, A is ``R x I``, B is ``O x R``; O and R may differ from layer to layer.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Sequence[nn.Module], scales: Sequence[float], *pairs: Tensor) -> Any:
        """The layers' outputs, each ``... x O``; ``pairs`` are all A and then all B."""
        count = len(layers)
        ranks = [len(a) for a in pairs[:count]]
        a_RI = torch.cat(pairs[:count]).to(x.dtype)
        scaled = [(b * scale).to(x.dtype) for b, scale in zip(pairs[count:], scales, strict=True)]
        x_TI = x.reshape(-1, x.shape[-1])
        outputs = []
        for layer, b_OR, z_TR in zip(layers, scaled, F.linear(x_TI, a_RI).split(ranks, -1), strict=True):
            # Not a view: a network may change what it is given in place.
            y = F.linear(x, bases.dense(layer, x.dtype), bases.bias(layer, x.dtype))
            y.view(-1, y.shape[-1]).addmm_(z_TR, b_OR.t())
            outputs.append(y)
        ctx.save_for_backward(x, a_RI, *scaled)
        ctx.layers, ctx.scales, ctx.ranks = layers, scales, ranks
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        """Gradients of x, of all A and of all B."""
        x, a_RI, *scaled = ctx.saved_tensors
        x_TI = x.reshape(-1, x.shape[-1])
        dys = [dy.reshape(-1, dy.shape[-1]) for dy in gradients]
        dz_TR = torch.cat([dy_TO @ b_OR for dy_TO, b_OR in zip(dys, scaled, strict=True)], -1)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = dz_TR @ a_RI
            for dy_TO, layer in zip(dys, ctx.layers, strict=True):
                dx.addmm_(dy_TO, bases.dense(layer, x.dtype))
            dx = dx.view(x.shape)
        da = (dz_TR.t() @ x_TI).split(ctx.ranks)
        zs = F.linear(x_TI, a_RI).split(ctx.ranks, -1)
        db = [(dy.t() @ z).float() * scale for dy, z, scale in zip(dys, zs, ctx.scales, strict=True)]
        return dx, None, None, *(a.float() for a in da), *db


class LoraLinear(nn.Module):
    """A linear layer with a low-rank change beside it; parameters are named as PEFT names them.

    Args:
        base: The layer to adapt, of a form that :mod:`bases` knows; it is kept as it is and does not move.
        rank: Rank of the change.
        scale: Factor of the change.
    """

    def __init__(self, base: nn.Module, rank: int, scale: float) -> None:
        super().__init__()
        if not bases.fits(base):
            raise TypeError(f"LoRA adapts linear layers, not {type(base).__name__}")
        inputs, outputs = bases.sizes(base)
        device = next(base.parameters()).device
        self.base_layer, self.scale = base, scale
        self.lora_A = nn.Linear(inputs, rank, bias=False, device=device, dtype=torch.float32)
        self.lora_B = nn.Linear(rank, outputs, bias=False, device=device, dtype=torch.float32)
        nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B.weight)
        self.group = Group([self])

    def forward(self, x: Tensor) -> Tensor:
        """``... x I`` to ``... x O``."""
        return self.group.output(self, x)

    @property
    def weight(self) -> Tensor:
        """The base's weight, for networks that look at it."""
        return self.base_layer.weight  # type: ignore[return-value]

    @property
    def bias(self) -> Tensor | None:
        """The base's bias, for networks that look at it."""
        return self.base_layer.bias  # type: ignore[return-value]

    def merged(self) -> nn.Module:
        """A plain layer with ``W + scale * B A``, added in float32 and rounded once to the base's type."""
        change = self.scale * (self.lora_B.weight @ self.lora_A.weight)
        return bases.plain(self.base_layer, bases.dense(self.base_layer, torch.float32) + change)


class Group:
    """Adapted layers that the network calls one after another with the same tensor: queries, keys and values.

    The first one called computes for all, and the others take what waits for them.
    """

    def __init__(self, members: list[LoraLinear]) -> None:
        self.members = members
        self.input: Tensor | None = None
        self.waiting: dict[LoraLinear, Tensor] = {}

    def output(self, member: LoraLinear, x: Tensor) -> Tensor:
        """One member's output for an input."""
        if x is not self.input or member not in self.waiting:
            self.input, self.waiting = x, dict(zip(self.members, self.products(x), strict=True))
        y = self.waiting.pop(member)
        if not self.waiting:
            self.input = None
        return y

    def products(self, x: Tensor) -> tuple[Tensor, ...]:
        """All members' outputs."""
        layers, scales = [part.base_layer for part in self.members], [part.scale for part in self.members]
        downs, ups = [part.lora_A.weight for part in self.members], [part.lora_B.weight for part in self.members]
        outputs: tuple[Tensor, ...] = LoraProducts.apply(x, layers, scales, *downs, *ups)
        return outputs


def share_inputs(network: nn.Module, run: Callable[[], object]) -> list[str]:
    """Group the adapted layers that read the same tensor; found by running the network once.

    Args:
        network: A network with adapted layers.
        run: A forward pass, however short.

    Returns:
        What the user should know: adapted layers whose weights the network uses without calling them.
    """
    seen: dict[int, list[LoraLinear]] = {}
    # Inputs are held until the end, so that no two have the same address.
    held: list[Tensor] = []

    def note(module: nn.Module, arguments: tuple[Any, ...]) -> None:
        held.append(arguments[0])
        seen.setdefault(id(arguments[0]), []).append(module)  # type: ignore[arg-type]

    layers = [module for module in network.modules() if isinstance(module, LoraLinear)]
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    for members in seen.values():
        if len(set(members)) == len(members) > 1:
            group = Group(members)
            for member in members:
                member.group = group
    return idle_notes(network, {member for members in seen.values() for member in members})


def idle_notes(network: nn.Module, called: set[LoraLinear]) -> list[str]:
    """Keep adapters of layers that are never called from moving, and say which."""
    idle = {name: part for name, part in network.named_modules() if isinstance(part, LoraLinear) and part not in called}
    for part in idle.values():
        part.requires_grad_(False)
    if not idle:
        return []
    return [f"{len(idle)} adapted layers are never called and learn nothing: {', '.join(list(idle)[:3])} ..."]
