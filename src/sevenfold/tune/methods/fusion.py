"""AdapterFusion: learnt attention over several frozen adapters (Pfeiffer et al. 2020, arXiv 2005.00247)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.methods import Method
from sevenfold.tune.methods.lora import replace

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.fusion import FusedLinear
    from sevenfold.tune.several.files import LoraFile

WEIGHTS_FILE, SETTINGS_FILE, ADAPTERS = "fusion.safetensors", "fusion.json", "adapters"


class Fusion(Method):
    r"""``y = h + V sum_n a_n d_n`` in every adapted layer, ``a = softmax_n((Q h) \cdot (K d_n))``.

    ``h`` is what the frozen layer gives and ``d_n`` what adapter n adds. Adapters and base are frozen; queries Q and
    keys K are learnt on the rows of the task that is wanted, so that each token takes of each adapter what helps it:
    knowledge is composed without one adapter overwriting another. The paper's adapters are bottlenecks behind the
    feed-forward block and its Q, K and V as wide as the layer; here they are LoRA adapters of linear layers, Q and K
    are ``width`` wide (``null``: as the paper's), and V is the identity, where the paper begins, unless ``value``.

    For where several adapters are there, none fits alone, and a weighted merge would mix them up. The answer hangs on
    the input, so it cannot be merged into plain weights and other programs do not read it. A layer that only one
    adapter changes has nothing to choose and takes that one.
    """

    adapter: ClassVar[bool] = True
    mergeable: ClassVar[bool] = False
    differs_at_start: ClassVar[str] = "the frozen adapters answer from the start, each with about the same share"
    adapters: list[str] = Field(default=[], description="Folders of LoRA adapters in PEFT's format, all of this base.")
    width: int | None = Field(16, ge=1, description="Width of queries and keys; null: as wide as the layer's output.")
    value: bool = Field(False, description="Learn V too, a square matrix a layer, as wide as its output.")

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: frozen weights need no more."""
        return precision

    def outside(self) -> dict[str, str]:
        """SHA-256 of the adapters' weights."""
        from sevenfold.record import file_digest

        return {str(path): file_digest(path) for folder in self.adapters for path in Path(folder).glob("*.safetensors")}

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and put the adapters with their attention beside each layer that any of them changes.

        Raises:
            RecipeError: Fewer than two adapters are named.
            ModelError: One cannot be read, or does not fit the network.
        """
        if len(self.adapters) < 2:
            raise RecipeError(
                f"fusion needs two adapters or more, and {len(self.adapters)} are named",
                where="tune.method.fusion.adapters",
                expected="folders in PEFT's format, such as runs/chat/4-tune/weights",
                next_step="train adapters first, for example with tune.method: several",
            )
        self.put(network, [Path(folder) for folder in self.adapters])

    def put(self, network: PreTrainedModel, folders: Sequence[Path]) -> None:
        """Put adapters from some folders beside the layers they change."""
        from sevenfold.tune.several.files import LoraFile

        network.requires_grad_(False)
        found = [LoraFile(folder) for folder in folders]
        for name in sorted({name for file in found for name in file.names}):
            replace(network, name, self.fused(network, name, found))

    def fused(self, network: PreTrainedModel, name: str, found: Sequence[LoraFile]) -> FusedLinear:
        """One layer with the adapters that change it."""
        from sevenfold.tune.engine.fusion import FusedLinear

        pairs = [pair for file in found if (pair := file.pair(name)) is not None]
        try:
            layer = FusedLinear(network.get_submodule(name), pairs, self.width, self.value)
            sizes = (*layer.ups.shape[:1], *layer.downs.shape[1:])
            if sizes != outputs_and_inputs(layer):
                raise TypeError(f"it is {outputs_and_inputs(layer)}, the adapters are {sizes}")
        except (AttributeError, TypeError, RuntimeError) as error:
            raise ModelError(
                f"an adapter does not fit {type(network).__name__}: {name}: {str(error).splitlines()[0]}",
                where=", ".join(str(file.folder) for file in found),
                expected="adapters of the base model that load.model names",
            ) from error
        return layer

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write what was learnt, its settings, and copies of the adapters, so that the folder stands alone."""
        from safetensors.torch import save_file

        tensors = {n: w.detach().float().cpu().contiguous() for n, w in self.trainable(network).items()}
        save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})
        names = []
        for number, adapter in enumerate(self.adapters):
            names.append(str(number))
            place = folder / ADAPTERS / names[-1]
            place.mkdir(parents=True)
            for path in Path(adapter).glob("adapter_*.*"):
                shutil.copyfile(path, place / path.name)
        settings = {"base": base, "adapters": names, "from": self.adapters, "width": self.width, "value": self.value}
        (folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the saved adapters and their attention beside the layers.

        Raises:
            ModelError: The folder holds something else than these settings say.
        """
        from safetensors.torch import load_file

        settings = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
        self.put(network, [folder / ADAPTERS / name for name in settings["adapters"]])
        kept, weights = load_file(folder / WEIGHTS_FILE), self.trainable(network)
        fitting = kept.keys() == weights.keys() and all(kept[name].shape == weights[name].shape for name in kept)
        if not fitting:
            raise ModelError(
                "the saved attention does not fit the layers",
                where=str(folder / WEIGHTS_FILE),
                expected=f"width {self.width}, value {self.value}; saved were {settings['width']}, {settings['value']}",
            )
        for name, weight in weights.items():
            weight.data.copy_(kept[name])

    def merge(self, network: PreTrainedModel) -> None:
        """Not possible: the shares hang on the input."""
        raise NotImplementedError("fusion's shares hang on the input")

    def unload(self, network: PreTrainedModel) -> None:
        """Put every layer's base back in its place."""
        from sevenfold.tune.engine.fusion import FusedLinear

        layers = {name: part for name, part in network.named_modules() if isinstance(part, FusedLinear)}
        for name, layer in layers.items():
            replace(network, name, layer.base_layer)


def outputs_and_inputs(layer: FusedLinear) -> tuple[int, int]:
    """Width of a fused layer's output and input."""
    from sevenfold.tune.engine import bases

    inputs, outputs = bases.sizes(layer.base_layer)
    return outputs, inputs
