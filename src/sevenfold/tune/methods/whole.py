"""A whole model that is there already, in the place of the base: nothing is trained."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import ModelError
from sevenfold.tune.methods._taken import Taken
from sevenfold.tune.methods.full import Full

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FILES = ("*.safetensors", "model.safetensors.index.json", "config.json", "generation_config.json")
"""What a model on disk is, its tokenizer apart."""


class Whole(Taken):
    """``{whole: {folder: half}}``: evaluate, deploy and watch a model of the base's own architecture, beside the base.

    What ``sevenfold rollback`` wrote, a merged export of another run or a model that was tuned elsewhere goes through
    the later stages as if this run had trained it: the same rows, compared row by row with the base, and what was
    forgotten. The tokenizer is the base's. Weights are copied into the run, in the types that they have. There are no
    steps: fields of ``tune`` that say how to train are not looked at, and ``steps`` or ``epochs`` are refused.
    """

    adapter: ClassVar[bool] = False
    wanted: ClassVar[str] = "a model in Hugging Face's layout, such as one that sevenfold rollback wrote"
    folder: str = Field("", description="A folder with config.json and the weights as safetensors.")

    def outside(self) -> dict[str, str]:
        """SHA-256 of the model's files."""
        from sevenfold.cache import remembered_digest

        return {str(path): remembered_digest(path) for path in files(Path(self.folder))}

    def attach(self, network: PreTrainedModel) -> None:
        """Put the weights in."""
        self.load(network, Path(self.folder))

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Copy the model's files."""
        for path in files(Path(self.folder)):
            shutil.copyfile(path, folder / path.name)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the weights in the place of the network's own; every one must be there and fit.

        Raises:
            ModelError: There is no such model, or it is of another architecture or size.
        """
        if not any(folder.glob("*.safetensors")):
            raise ModelError(f"there are no weights in {str(folder)!r}", where=str(folder), expected=self.wanted)
        try:
            Full().load(network, folder)
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"the model in {folder} is none of the base's own architecture and size: {error}",
                where="tune.method.whole.folder",
                next_step="load.model: the base that it was made from",
            ) from error
        network.requires_grad_(False)

    def merge(self, network: PreTrainedModel) -> None:
        """Nothing to do: the weights are plain already."""


def files(folder: Path) -> list[Path]:
    """The files of a model."""
    return [path for pattern in FILES for path in sorted(folder.glob(pattern))]
