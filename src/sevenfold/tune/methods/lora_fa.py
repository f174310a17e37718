"""LoRA-FA: a low-rank change of which only B moves (Zhang et al. 2023, arXiv 2308.03303)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import model_validator

from sevenfold.errors import RecipeError
from sevenfold.tune.methods.lora import OF_THE_WEIGHT, Lora

if TYPE_CHECKING:
    import torch

    from sevenfold.tune.engine.lora import LoraLinear


class LoraFa(Lora):
    r"""``y = W x + scale * B A x`` with :math:`A_{RI}` as it was drawn, :math:`B_{OR}` zero at the start and moving.

    The gradient of B needs the ``R`` products of an input with A, not its ``I`` numbers: of each adapted layer's input
    ``rank / I`` is kept for the backward pass. Of a square layer half as many parameters move as with LoRA, so
    gradients and the optimiser's moments halve too. A step is no slower: nothing is computed again.

    Use it where activations are what fills the memory and blocks are not computed again. The change stays in the rows
    of A; a higher rank, or ``init: pissa`` or ``olora``, which here set A to the weight's principal or orthonormalised
    rows, makes up for that. What is saved is an ordinary LoRA. Fields are those of ``lora``.
    """

    @model_validator(mode="after")
    def one_rate(self) -> LoraFa:
        """Refuse a rate of B in times of that of A, which has none."""
        if self.rate_ratio != 1:
            raise RecipeError(
                f"rate_ratio = {self.rate_ratio:g} is B's learning rate in times of A's, and here A does not move",
                where=f"{self.place}.rate_ratio",
                expected="1",
                next_step="a higher tune.learning_rate; or tune.method: lora, with rate_ratio",
            )
        return self

    @property
    def doubled(self) -> bool:
        """Never: B is zero at the start, whatever A is."""
        return False

    def layer(self, base: torch.nn.Module) -> LoraLinear:
        """The adapted form of a layer."""
        from sevenfold.tune.engine.lora_fa import FrozenDownLinear

        return FrozenDownLinear(base, self.rank, self.scale, self.dropout)

    def start(self, layer: LoraLinear, name: str) -> None:
        """Set A; what :math:`B_0` would be does not matter, since the change would be :math:`(B - B_0) A`."""
        if self.init in OF_THE_WEIGHT:
            layer.lora_A.weight.data = self.part_of_the_weight(layer.base_layer, name)[0]
        else:
            super().start(layer, name)
