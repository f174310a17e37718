"""Full tuning: every parameter moves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sevenfold.quiet import quiet
from sevenfold.tune import own
from sevenfold.tune.methods import Method

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class Full(Method):
    """Every parameter moves; weights are held in float32, so that small steps are not rounded away."""

    adapter: ClassVar[bool] = False

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """Always float32; products run at ``precision``."""
        import torch

        return torch.float32

    def attach(self, network: PreTrainedModel) -> None:
        """Let every parameter move."""
        network.requires_grad_(True)

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write the whole model as safetensors with its configuration."""
        with quiet():
            network.save_pretrained(folder)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put the saved weights into the network; every weight must be there and fit."""
        from safetensors.torch import load_file

        kept = {name: value for path in own.others(folder) for name, value in load_file(path).items()}
        missing, unexpected = network.load_state_dict(kept, strict=False)
        network.tie_weights()
        tied = set(network.all_tied_weights_keys)
        wrong = sorted(set(missing) - tied) + sorted(unexpected)
        if wrong:
            raise ValueError(f"{folder} does not fit the network: {', '.join(wrong[:5])}")

    def merge(self, network: PreTrainedModel) -> None:
        """Nothing to do: the weights are plain already."""
