"""An adapter that is there already, taken as it is: nothing is trained."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import ModelError
from sevenfold.tune.methods._taken import Taken
from sevenfold.tune.methods.lora import adapters, replace

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Given(Taken):
    """``{given: {folder: both}}``: evaluate, deploy and watch an adapter in PEFT's format that was made elsewhere.

    What ``sevenfold merge-adapters`` wrote, an adapter of another run or from anywhere else goes through the later
    stages as if this run had trained it. Low-rank pairs run in the engine's own layers, other types in PEFT's. The
    folder is copied into the run. There are no steps: fields of ``tune`` that say how to train are not looked at, and
    ``steps`` or ``epochs`` are refused.
    """

    adapter: ClassVar[bool] = True
    wanted: ClassVar[str] = "a folder in PEFT's format, such as one that sevenfold merge-adapters wrote"
    folder: str = Field("", description="A folder with adapter_config.json and adapter_model.safetensors.")

    def outside(self) -> dict[str, str]:
        """SHA-256 of the adapter's files."""
        from sevenfold.record import file_digest

        return {str(path): file_digest(path) for path in sorted(Path(self.folder).glob("adapter_*.*"))}

    def attach(self, network: PreTrainedModel) -> None:
        """Put the adapter in."""
        self.load(network, Path(self.folder))

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Copy the adapter's files."""
        from sevenfold.tune.several import provenance

        for path in [*Path(self.folder).glob("adapter_*.*"), Path(self.folder) / provenance.FILE]:
            if path.is_file():
                shutil.copyfile(path, folder / path.name)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put an adapter's files beside the layers they belong to; nothing can move.

        Raises:
            ModelError: They cannot be read, are of a type that is not known, or do not fit the network.
        """
        from sevenfold.tune.several import files

        config = files.config_in(folder)
        if not files.more_than_pairs(config):
            from sevenfold.tune.several import beside

            beside.put_in(network, files.LoraFile(folder))
        else:
            from sevenfold.tune import peft_bridge

            peft_bridge.require()
            peft_bridge.load(network, folder, peft_type(config, folder))
        network.requires_grad_(False)

    def merge(self, network: PreTrainedModel) -> None:
        """Replace every adapted layer by a plain one."""
        if layers := adapters(network):
            for name, layer in layers.items():
                replace(network, name, layer.merged())
        else:
            from sevenfold.tune import peft_bridge

            peft_bridge.merge(network)

    def unload(self, network: PreTrainedModel) -> None:
        """Put every adapted layer's base back in its place."""
        if layers := adapters(network):
            for name, layer in layers.items():
                replace(network, name, layer.base_layer)
        else:
            from sevenfold.tune import peft_bridge

            peft_bridge.unload(network)


def peft_type(config: dict[str, object], folder: Path) -> str:
    """PEFT's type of an adapter that is more than low-rank pairs.

    Raises:
        ModelError: It does not stand beside the layers of a plain base.
    """
    from sevenfold.tune.peft_catalogue import OPEN
    from sevenfold.tune.several.files import changes_the_base

    kind = str(config.get("peft_type"))
    changes = changes_the_base(config)
    if kind not in OPEN or changes:
        raise ModelError(
            f"an adapter of type {kind}{f' ({changes})' if changes else ''} cannot be taken as it is",
            where=str(folder),
            expected=f"one of PEFT's types that change layers and leave the base as it is: {', '.join(OPEN)}",
        )
    return kind
