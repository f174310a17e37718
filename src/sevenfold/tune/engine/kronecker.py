"""A Kronecker product beside a frozen linear layer, multiplied by its two factors instead of made."""

from __future__ import annotations

from typing import Any

from peft.tuners.lokr import Linear
from torch import Tensor, nn
from torch.nn import functional as F


class KroneckerLinear(Linear):
    """PEFT's LoKr layer with ``(C (x) D) x`` as ``C X D^T``, where X is x laid out as ``i1 x i2``.

    Equals PEFT's forward, which makes the product, ``O x I``, and multiplies by it: ``T O I`` multiplications where
    this takes ``T I o2 + T O i1``, twenty times fewer at 2048 x 2048, and no memory of the weight's size. Factors are
    cast to the input's type where they are used. The state of the layer, its merging and its files stay PEFT's.

    Shapes: x is ``... x I`` with ``I = i1 i2``, C is ``o1 x i1``, D is ``o2 x i2``, the result ``... x O`` with
    ``O = o1 o2``.
    """

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The layer's output; PEFT's own while the change is merged or switched off."""
        if self.disable_adapters or self.merged:
            return super().forward(x, *args, **kwargs)
        result: Tensor = self.base_layer(x, *args, **kwargs)
        for name in self.active_adapters:
            result = result + self.change(x, name)
        return result

    def change(self, x: Tensor, name: str) -> Tensor:
        """What one adapter adds, ``... x O``."""
        c, d = self.factor("lokr_w1", name), self.factor("lokr_w2", name)
        c, d = (c * self.scaling[name]).to(x.dtype), d.to(x.dtype)
        inner = F.linear(x.unflatten(-1, (c.shape[1], d.shape[1])), d)
        return F.linear(inner.transpose(-1, -2), c).transpose(-1, -2).flatten(-2)

    def factor(self, part: str, name: str) -> Tensor:
        """One of the two factors: a weight, or the product of two."""
        whole: nn.ParameterDict = getattr(self, part)
        if name in whole:
            return whole[name]
        found: Tensor = getattr(self, f"{part}_a")[name] @ getattr(self, f"{part}_b")[name]
        return found


def put_in(network: nn.Module) -> None:
    """Let PEFT's LoKr layers of a network compute in this way."""
    for part in network.modules():
        if type(part) is Linear:
            part.__class__ = KroneckerLinear
