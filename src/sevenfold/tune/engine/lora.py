"""Frozen linear layers that read the same input, and their low-rank changes, in one pass that saves only the input."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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

    With dropout A reads another tensor, ``low``, and W still ``x``. Then ``low`` is kept, and ``x`` is not.
    (``low`` comes last, where there is one: compiled code does not take None for a tensor.)

    Shapes: x and low are ``... x I``, W is ``O x I``, A is ``R x I``, B is ``O x R``; O and R may differ from layer to
    layer.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Sequence[nn.Module], scales: Sequence[float], *tensors: Tensor) -> Any:
        """The layers' outputs, each ``... x O``; ``tensors`` are all A, all B, and ``low``."""
        outputs, made = products(x, layers, scales, tensors)
        ctx.save_for_backward(made.read, made.a_RI, *made.scaled)
        note(ctx, made, layers, scales, x)
        return outputs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        """Gradients of x, of all A, of all B, and of ``low``."""
        read, a_RI, *scaled = ctx.saved_tensors
        dys = [rows(dy) for dy in gradients]
        dz_TR = torch.cat([dy_TO @ b_OR for dy_TO, b_OR in zip(dys, scaled, strict=True)], -1)
        dx, *dlow = input_gradients(dz_TR, a_RI, dys, ctx)
        da = (dz_TR.t() @ rows(read)).split(ctx.ranks)
        zs = F.linear(rows(read), a_RI).split(ctx.ranks, -1)
        return dx, None, None, *(a.float() for a in da), *up_gradients(dys, zs, ctx.scales), *dlow


def rows(x: Tensor) -> Tensor:
    """``... x I`` as ``T x I``."""
    return x.reshape(-1, x.shape[-1])


@dataclass
class Made:
    """What :func:`products` makes on the way.

    Args:
        read: What A reads, ``... x I``.
        z_TR: Its products with all A, side by side.
        a_RI: All A, one under the other, at the type of products.
        scaled: Each ``scale * B``, at the type of products.
        ranks: Of the layers.
    """

    read: Tensor
    z_TR: Tensor
    a_RI: Tensor
    scaled: list[Tensor]
    ranks: list[int]


def products(
    x: Tensor, layers: Sequence[nn.Module], scales: Sequence[float], tensors: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], Made]:
    """The outputs of :class:`LoraProducts`, arguments as of its ``forward``, and what was made on the way."""
    count = len(layers)
    downs, ups, low = tensors[:count], tensors[count : 2 * count], tensors[2 * count :]
    read = low[0] if low else x
    a_RI = torch.cat(tuple(downs)).to(x.dtype)
    z_TR = F.linear(rows(read), a_RI)
    made = Made(read, z_TR, a_RI, [(b * s).to(x.dtype) for b, s in zip(ups, scales, strict=True)], [*map(len, downs)])
    outputs = []
    for layer, b_OR, own_TR in zip(layers, made.scaled, z_TR.split(made.ranks, -1), strict=True):
        # Not a view: a network may change what it is given in place.
        y = F.linear(x, bases.dense(layer, x.dtype), bases.bias(layer, x.dtype))
        y.view(-1, y.shape[-1]).addmm_(own_TR, b_OR.t())
        outputs.append(y)
    return tuple(outputs), made


def note(ctx: Any, made: Made, layers: Sequence[nn.Module], scales: Sequence[float], x: Tensor) -> None:
    """Keep what is no tensor for the backward pass."""
    ctx.layers, ctx.scales, ctx.ranks = layers, scales, made.ranks
    ctx.shape, ctx.shared = x.shape, made.read is x


def input_gradients(dz_TR: Tensor, a_RI: Tensor, dys: Sequence[Tensor], ctx: Any) -> list[Tensor | None]:
    """The gradient of x, and of ``low`` where A read that."""
    if not ctx.needs_input_grad[0]:
        return [None] if ctx.shared else [None, None]
    through_a_TI = dz_TR @ a_RI
    dx_TI = through_a_TI if ctx.shared else torch.zeros_like(through_a_TI)
    for dy_TO, layer in zip(dys, ctx.layers, strict=True):
        dx_TI.addmm_(dy_TO, bases.dense(layer, dy_TO.dtype))
    return [dx_TI.view(ctx.shape)] if ctx.shared else [dx_TI.view(ctx.shape), through_a_TI.view(ctx.shape)]


def up_gradients(dys: Sequence[Tensor], zs: Sequence[Tensor], scales: Sequence[float]) -> list[Tensor]:
    """The gradient of each B, float32."""
    return [(dy_TO.t() @ z_TR).float() * scale for dy_TO, z_TR, scale in zip(dys, zs, scales, strict=True)]


class LoraLinear(nn.Module):
    """A linear layer with a low-rank change beside it; parameters are named as PEFT names them.

    Args:
        base: The layer to adapt, of a form that :mod:`bases` knows; it is kept as it is and does not move.
        rank: Rank of the change.
        scale: Factor of the change.
        dropout: Share of the inputs of A that is left out in training, chosen anew in each pass.
    """

    start_A: Tensor | None
    start_B: Tensor | None
    taken: tuple[Tensor, Tensor] | None = None
    """A pair that was taken off the weight before it was quantised (LoftQ), kept to be saved."""

    def __init__(self, base: nn.Module, rank: int, scale: float, dropout: float = 0.0) -> None:
        super().__init__()
        if not bases.fits(base):
            raise TypeError(f"LoRA adapts linear layers, not {type(base).__name__}")
        inputs, outputs = bases.sizes(base)
        device = next(base.parameters()).device
        self.base_layer, self.scale, self.dropout = base, scale, dropout
        self.lora_A = nn.Linear(inputs, rank, bias=False, device=device, dtype=torch.float32)
        self.lora_B = nn.Linear(rank, outputs, bias=False, device=device, dtype=torch.float32)
        nn.init.kaiming_uniform_(self.lora_A.weight, a=math.sqrt(5))
        nn.init.zeros_(self.lora_B.weight)
        self.register_buffer("start_A", None)
        self.register_buffer("start_B", None)
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

    def start_at(self, a_RI: Tensor, b_OR: Tensor) -> None:
        """Begin with a pair whose product is a part of the base: what counts is how far the pair moves from there."""
        self.lora_A.weight.data, self.lora_B.weight.data = a_RI.clone(), b_OR.clone()
        self.start_A, self.start_B = a_RI, b_OR

    def factors(self) -> tuple[Tensor, Tensor]:
        """What the change is a product of: ``R x I`` and ``O x R``.

        Behind a start :math:`(A_0, B_0)` the base would have to give up :math:`B_0 A_0`. It stays whole instead, and
        the change is :math:`B A - B_0 A_0 = (B - B_0) A + B_0 (A - A_0)`, of twice the rank. So it is zero to the last
        bit at the start, and a small move is not lost in the rounding of a large A.
        """
        a_RI, b_OR = self.lora_A.weight, self.lora_B.weight
        if self.start_A is None or self.start_B is None:
            return a_RI, b_OR
        return torch.cat([a_RI, a_RI - self.start_A]), torch.cat([b_OR - self.start_B, self.start_B], 1)

    def change(self) -> Tensor:
        """What is added to the weight, ``O x I``, float32."""
        down_RI, up_OR = self.factors()
        return self.scale * (up_OR @ down_RI)

    def merged(self) -> nn.Module:
        """A plain layer with ``W + scale * B A``, added in float32 and rounded once to the base's type."""
        return bases.plain(self.base_layer, bases.dense(self.base_layer, torch.float32) + self.change())


class Group:
    """Adapted layers that the network calls one after another with the same tensor: queries, keys and values.

    The first one called computes for all, and the others take what waits for them.
    """

    function: ClassVar[type[torch.autograd.Function]] = LoraProducts

    def __init__(self, members: list[Any]) -> None:
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
        return self.made(x, [part.base_layer for part in self.members], self.pairs)

    def made(self, x: Tensor, layers: Sequence[Any], pairs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Outputs of layers with the members' scales; ``pairs`` are all A and then all B."""
        arguments = x, layers, self.scales, (*pairs, *self.low(x))
        if not torch.is_grad_enabled():
            # Compiled code misreads a function of autograd where there is no gradient.
            return products(*arguments)[0]
        outputs: tuple[Tensor, ...] = self.function.apply(*arguments[:3], *arguments[3])
        return outputs

    @property
    def scales(self) -> list[float]:
        """The factor of each member's change."""
        return [part.scale for part in self.members]

    @property
    def pairs(self) -> list[Tensor]:
        """The factors of all members' changes: all A and then all B."""
        downs, ups = zip(*(part.factors() for part in self.members), strict=True)
        return [*downs, *ups]

    def low(self, x: Tensor) -> list[Tensor]:
        """What A reads where dropout makes it another than x; one choice for all members."""
        part = self.members[0]
        # F.dropout keeps its choice in the type of x on a CPU, this one in a byte an element.
        return [torch.native_dropout(x, part.dropout, True)[0]] if part.dropout and part.training else []


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
            group = type(members[0].group)(members)
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
