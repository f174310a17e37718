"""A frozen linear layer of which some entries move: chosen ones, whole rows or whole columns of its weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sevenfold.tune.engine import bases

Axis = Literal["entries", "rows", "columns"]
Watch = Callable[[Tensor, Tensor], Tensor | None]
"""Sees a layer's input ``T x I`` and the gradient of its output ``T x O`` in the backward pass; may give the gradient
of the deltas itself."""

FEW = {torch.float32: 0.01, torch.bfloat16: 0.002}
"""Share of a weight's entries up to which their gradients are gathered one by one, by the type of the products.

Measured with one thread, weights of 576 x 576 to 2048 x 2048, passes of 128 to 1,024 tokens, as time of gathering over
time of the whole product: at 0.001 of the entries 0.02 to 0.18 in float32 and 0.1 to 0.7 in bfloat16, at 0.01 0.2 to
1.1 and 1.1 to 7.7 (the processor multiplies bfloat16 matrices in its own units)."""
BLOCK = 2**18
"""Numbers that are gathered at once: what fits into a core's cache."""


class SparseProduct(torch.autograd.Function):
    """``y = x (W + scatter(deltas))^T + b``, with gradients of x and of the deltas alone.

    Equals ``F.linear(x, W.index_put(places, W[places] + deltas), b)``. Only x is kept: the changed weight is made again
    in the backward pass, one pass over the memory of W. The changed weight is rounded once, to the type of x, so
    deltas that are small beside their weights count as they do in a weight that is held in float32.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, deltas: Tensor, layer: SparseLinear) -> Tensor:
        """The layer's output, ``... x O``."""
        # The deltas are saved so that autograd notices when they move before the backward pass.
        ctx.save_for_backward(x, deltas)
        ctx.layer = layer
        return F.linear(x, layer.changed(x.dtype), bases.bias(layer.base_layer, x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Gradients of x and of the deltas."""
        x, _ = ctx.saved_tensors
        layer, dy = ctx.layer, gradients[0]
        dx = dy @ layer.changed(dy.dtype) if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return dx, None, None
        return dx, layer.gradient(x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])), None


class SparseLinear(nn.Module):
    """A linear layer with deltas on some entries of its weight; the weight itself does not move.

    Args:
        base: The layer, of a form that :mod:`bases` knows, not quantised.
        axis: What the places are: entries of the flat ``O x I`` weight, rows (outputs) or columns (inputs).
        places: The entries, rows or columns that move, each once.

    Deltas are float32 and zero at the start: ``K`` for entries, ``K x I`` for rows, ``O x K`` for columns. ``watch`` is
    called in every backward pass while it is set.
    """

    places: Tensor

    def __init__(self, base: nn.Module, axis: Axis, places: Tensor) -> None:
        super().__init__()
        if not bases.fits(base) or isinstance(base, bases.Quantised):
            raise TypeError(f"deltas are learnt on plain linear layers, not on {type(base).__name__}")
        self.base_layer, self.axis = base, axis
        self.inputs, self.outputs = bases.sizes(base)
        self.register_buffer("places", places.to(index_type(self.inputs * self.outputs)), persistent=False)
        count = len(places)
        shape = {"entries": (count,), "rows": (count, self.inputs), "columns": (self.outputs, count)}[axis]
        self.deltas = nn.Parameter(torch.zeros(shape, dtype=torch.float32, device=places.device))
        self.watch: Watch | None = None

    # The watch changes what happens in the backward pass, which a compiled block would not see.
    @torch.compiler.disable
    def forward(self, x: Tensor) -> Tensor:
        """``... x I`` to ``... x O``."""
        y: Tensor = SparseProduct.apply(x, self.deltas, self)
        return y

    @property
    def weight(self) -> Tensor:
        """The base's weight, for networks that look at it."""
        return self.base_layer.weight  # type: ignore[return-value]

    @property
    def bias(self) -> Tensor | None:
        """The base's bias, for networks that look at it."""
        return self.base_layer.bias  # type: ignore[return-value]

    def base_weight(self) -> Tensor:
        """The base's weight as it is held, ``O x I``; a view."""
        return bases.dense(self.base_layer, self.weight.dtype)

    def chosen(self, of_OI: Tensor) -> Tensor:
        """The entries, rows or columns that move, of a tensor of the weight's shape; shaped like the deltas."""
        if self.axis == "entries":
            return of_OI[self.places // self.inputs, self.places % self.inputs]
        return of_OI.index_select(0 if self.axis == "rows" else 1, self.places)

    @torch.no_grad()
    def changed(self, dtype: torch.dtype) -> Tensor:
        """The weight with the deltas added in float32 and rounded once, ``O x I``."""
        base = self.base_weight()
        values = (self.chosen(base).float() + self.deltas).to(dtype)
        weight = base.to(dtype, copy=True).contiguous()
        if self.axis == "entries":
            weight.view(-1)[self.places] = values
        else:
            weight.index_copy_(0 if self.axis == "rows" else 1, self.places.long(), values)
        return weight

    def gradient(self, x_TI: Tensor, dy_TO: Tensor) -> Tensor:
        """The gradient of the deltas, float32: the chosen part of ``dy^T x``, and no more is computed of it."""
        watched = self.watch(x_TI, dy_TO) if self.watch else None
        if watched is not None:
            return watched
        if self.axis == "rows":
            return (dy_TO.index_select(1, self.places).t() @ x_TI).float()
        if self.axis == "columns":
            return (dy_TO.t() @ x_TI.index_select(1, self.places)).float()
        return entry_gradients(x_TI, dy_TO, self.places)

    def merged(self) -> nn.Module:
        """A plain layer of the base's type; every entry without a delta has the base's bits."""
        return bases.plain(self.base_layer, self.changed(self.weight.dtype))


def index_type(entries: int) -> torch.dtype:
    """The smallest type that can number the entries of a weight."""
    return torch.int32 if entries < 2**31 else torch.int64


def entry_gradients(x_TI: Tensor, dy_TO: Tensor, places_K: Tensor) -> Tensor:
    """Single entries of ``dy^T x``, ``K``, float32, the way that is faster for their number."""
    entries = x_TI.shape[1] * dy_TO.shape[1]
    if x_TI.device.type == "cpu" and len(places_K) <= FEW.get(x_TI.dtype, 0) * entries:
        return gathered(x_TI, dy_TO, places_K)
    dense_OI = dy_TO.t() @ x_TI
    return dense_OI.view(-1)[places_K].float()


def gathered(x_TI: Tensor, dy_TO: Tensor, places_K: Tensor) -> Tensor:
    """Entries of ``dy^T x`` one by one: ``g_k = sum_t dy[t, o_k] x[t, i_k]``, ``K``, float32.

    Two rows of T numbers are read for each entry, where the whole product does T multiplications for each entry of the
    weight at the machine's full rate.
    """
    inputs = x_TI.shape[1]
    x_IT, dy_OT = x_TI.float().t().contiguous(), dy_TO.float().t().contiguous()
    pieces = [
        torch.linalg.vecdot(dy_OT[some // inputs], x_IT[some % inputs])
        for some in places_K.split(max(1, BLOCK // len(x_TI)))
    ]
    return torch.cat(pieces)


def layers(network: nn.Module) -> dict[str, SparseLinear]:
    """The layers with deltas, by name."""
    return {name: part for name, part in network.named_modules() if isinstance(part, SparseLinear)}


def put(network: nn.Module, name: str, part: nn.Module) -> None:
    """Set a submodule by its dotted name."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, part)


def wrap(network: nn.Module, name: str, axis: Axis, places: Tensor) -> SparseLinear:
    """Put deltas on a layer of the network."""
    layer = SparseLinear(network.get_submodule(name), axis, places)
    put(network, name, layer)
    return layer


def merge(network: nn.Module) -> None:
    """Replace every layer with deltas by a plain one."""
    for name, layer in layers(network).items():
        put(network, name, layer.merged())


def unload(network: nn.Module) -> None:
    """Put every layer's base back in its place."""
    for name, layer in layers(network).items():
        put(network, name, layer.base_layer)
