"""QLoRA: LoRA beside a base that is held in 4 or 8 bits (Dettmers et al. 2023, arXiv 2305.14314)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sevenfold.tune.adapter_file import saved, write
from sevenfold.tune.methods.lora import Lora, adapters, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedModel

    from sevenfold.tune.engine.bases import Quantised
    from sevenfold.tune.engine.lora import LoraLinear
    from sevenfold.tune.engine.starts import Pair

TAKEN_FILE = "loftq.safetensors"
PAIR = ("lora_A.weight", "lora_B.weight")


class Qlora(Lora):
    """LoRA whose frozen linear layers are held in few bits and made dense, one at a time, where products need them.

    Every linear layer is quantised, adapted or not, but the head; embeddings, norms, biases and experts that are one
    tensor stay at the run's precision. It is done layer by layer when the network is loaded, from its bfloat16 form.

    What was trained is the adapter beside the quantised base. So that is what is loaded again, and what
    :meth:`merge` adds to: the merged model has the losses that training showed. The file of the adapter loads in PEFT
    on the quantised and on the original base; there the answers are near, not the same.

    ``init: loftq`` begins with a pair that gives back what quantisation takes, as far as a rank can (LoftQ, Li et al.
    2023, arXiv 2310.08659): the start is nearer to the original base. With one step the quantised base is what it is
    without LoftQ. With more, weights are quantised less the pair of the step before, which is written beside the
    adapter, in ``loftq.safetensors``: a base quantised by others is then another one, and PEFT's answers on it differ.
    """

    differs_at_start: ClassVar[str] = "the base is rounded to few bits"
    bits: Literal[4, 8] = Field(
        4, description="Bits of a frozen weight: 4 (NF4, blocks of 64; needs bitsandbytes) or 8 (a scale an output)."
    )
    double_quantisation: bool = Field(
        True, description="The scales of 4-bit blocks are quantised too: 4.127 bits a weight in all instead of 4.5."
    )

    init: Literal["kaiming", "gaussian", "pissa", "olora", "loftq"] = Field(  # type: ignore[assignment]
        "kaiming",
        description="Where the pair begins: A uniform or normal and B zero; the principal directions of the quantised "
        "weight; an orthonormal B; or what quantisation takes from the weight (loftq).",
    )
    loftq_steps: int = Field(
        1,
        ge=1,
        description="Times that init: loftq quantises what the pair leaves of a weight and finds the pair anew.",
    )

    def attach(self, network: PreTrainedModel) -> None:
        """Quantise and freeze the base, and put a trainable pair beside each target."""
        found = self.loftq(network) if self.init == "loftq" else {}
        taken = {name: pair for name, (_, pair) in found.items() if pair}
        self.quantise(network, taken)
        super().attach(network)
        layers = adapters(network)
        for name, ((a_RI, b_OR), _) in found.items():
            layers[name].lora_A.weight.data, layers[name].lora_B.weight.data = a_RI, b_OR
        keep_taken(layers, taken)

    def loftq(self, network: PreTrainedModel) -> dict[str, tuple[Pair, Pair | None]]:
        """For each target its pair, and what is taken off its weight before that is quantised."""
        from sevenfold.tune.engine import starts

        found = {}
        for name in self.target_names(network):
            layer = network.get_submodule(name)
            self.check_rank(layer, name)
            found[name] = starts.loftq(
                layer, self.packed, self.rank, self.scale, self.loftq_steps, self.pissa_iterations
            )
        return found

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the adapter as PEFT reads it, and what was taken off the weights before they were quantised."""
        super().save(network, folder, base)
        layers = adapters(network)
        taken = {name: dict(zip(PAIR, layer.taken, strict=True)) for name, layer in layers.items() if layer.taken}
        if taken:
            write(folder / TAKEN_FILE, taken)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Quantise the base as in training and put saved pairs beside the layers they belong to."""
        file = folder / TAKEN_FILE
        taken = {name: (kept[PAIR[0]], kept[PAIR[1]]) for name, kept in saved(file)} if file.exists() else {}
        self.quantise(network, taken)
        super().load(network, folder)
        keep_taken(adapters(network), taken)

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

    def quantise(self, network: PreTrainedModel, taken: Mapping[str, Pair] | None = None) -> None:
        """Replace every linear layer but the head by one that holds few bits.

        Args:
            network: With plain layers.
            taken: Pairs by name of layer that are taken off the weight before.
        """
        from sevenfold.tune.engine import bases, starts

        for name in bases.linear_names(network):
            pair = (taken or {}).get(name)
            layer = starts.without(network.get_submodule(name), pair, self.scale)
            replace(network, name, self.packed(layer))

    def packed(self, layer: object) -> Quantised:
        """A layer with its weight in this method's bits."""
        from sevenfold.tune.engine.int8 import Int8Linear
        from sevenfold.tune.engine.nf4 import Nf4Linear

        return Int8Linear(layer) if self.bits == 8 else Nf4Linear(layer, self.double_quantisation)


def keep_taken(layers: Mapping[str, LoraLinear], taken: Mapping[str, Pair]) -> None:
    """Let adapted layers know what was taken off their weights before they were quantised, for :meth:`Qlora.save`."""
    for name, pair in taken.items():
        layers[name].taken = pair


def quantised(network: PreTrainedModel) -> dict[str, Quantised]:
    """The layers of a network that hold few bits, by name."""
    from sevenfold.tune.engine.bases import Quantised

    return {name: part for name, part in network.named_modules() if isinstance(part, Quantised)}
