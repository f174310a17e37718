"""QLoRA: LoRA beside a base that is held in 4 or 8 bits (Dettmers et al. 2023, arXiv 2305.14314)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sevenfold.tune.methods.lora import Lora, replace

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.bases import Quantised


class Qlora(Lora):
    """LoRA whose frozen linear layers are held in few bits and made dense, one at a time, where products need them.

    Every linear layer is quantised, adapted or not, but the head; embeddings, norms, biases and experts that are one
    tensor stay at the run's precision. It is done layer by layer when the network is loaded, from its bfloat16 form.

    What was trained is the adapter beside the quantised base. So that is what is loaded again, and what
    :meth:`merge` adds to: the merged model has the losses that training showed. The file of the adapter loads in PEFT
    on the quantised and on the original base; there the answers are near, not the same.
    """

    differs_at_start: ClassVar[str] = "the base is rounded to few bits"
    bits: Literal[4, 8] = Field(
        4, description="Bits of a frozen weight: 4 (NF4, blocks of 64; needs bitsandbytes) or 8 (a scale an output)."
    )
    double_quantisation: bool = Field(
        True, description="The scales of 4-bit blocks are quantised too: 4.127 bits a weight in all instead of 4.5."
    )

    def attach(self, network: PreTrainedModel) -> None:
        """Quantise and freeze the base, and put a trainable pair beside each target."""
        self.quantise(network)
        super().attach(network)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Quantise the base as in training and put saved pairs beside the layers they belong to."""
        self.quantise(network)
        super().load(network, folder)

    def merge(self, network: PreTrainedModel) -> None:
        """Replace every layer by a plain one: the weight that the bits stand for, and the change, added in float32."""
        import torch

        from sevenfold.tune.engine import bases

        super().merge(network)
        for name, layer in quantised(network).items():
            replace(network, name, bases.plain(layer, layer.dense(torch.float32)))

    def notes(self, network: PreTrainedModel) -> list[str]:
        """How much of the network is held in few bits, and what is not."""
        layers = quantised(network)
        weights = sum(layer.in_features * layer.out_features for layer in layers.values())
        held = sum(part.nbytes for layer in layers.values() for part in layer.packed())
        rest = sum(weight.nbytes for weight in network.parameters() if not weight.requires_grad) - held
        return [
            f"{weights:,} weights of {len(layers)} linear layers are held in {8 * held / weights:.3f} bits each "
            f"({held / 1e6:,.1f} MB); embeddings, head, norms and biases are not quantised ({rest / 1e6:,.1f} MB)"
        ]

    def quantise(self, network: PreTrainedModel) -> None:
        """Replace every linear layer but the head by one that holds few bits."""
        from sevenfold.tune.engine import bases

        for name in bases.linear_names(network):
            replace(network, name, self.packed(network.get_submodule(name)))

    def packed(self, layer: object) -> Quantised:
        """A layer with its weight in this method's bits."""
        from sevenfold.tune.engine.int8 import Int8Linear
        from sevenfold.tune.engine.nf4 import Nf4Linear

        return Int8Linear(layer) if self.bits == 8 else Nf4Linear(layer, self.double_quantisation)


def quantised(network: PreTrainedModel) -> dict[str, Quantised]:
    """The layers of a network that hold few bits, by name."""
    from sevenfold.tune.engine.bases import Quantised

    return {name: part for name, part in network.named_modules() if isinstance(part, Quantised)}
