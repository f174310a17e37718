"""What an objective trains beside the network, in a file beside the method's weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import nn

FILE = "objective.safetensors"


def trained(own: nn.Module | None) -> dict[str, torch.Tensor]:
    """The parameters that are trained, by name; a frozen teacher has none."""
    if own is None:
        return {}
    return {name: weight.detach() for name, weight in own.named_parameters() if weight.requires_grad}


def state(own: nn.Module | None) -> dict[str, torch.Tensor]:
    """What else the next steps depend on, by name: live tensors, kept in checkpoints (a slow mean of the weights)."""
    if own is None:
        return {}
    kept, buffers = own.state_dict(keep_vars=True), dict(own.named_buffers())
    return {f"objective.{name}": buffer for name, buffer in buffers.items() if name in kept}


def save(own: nn.Module | None, folder: Path) -> None:
    """Write what is trained into a folder; nothing where there is nothing."""
    from safetensors.torch import save_file

    weights = {name: weight.contiguous().cpu() for name, weight in trained(own).items()}
    if weights:
        save_file(weights, folder / FILE)


def others(folder: Path) -> list[Path]:
    """The safetensors files of a folder that hold weights of the network, in order."""
    return [path for path in sorted(folder.glob("*.safetensors")) if path.name != FILE]


def load(own: nn.Module, folder: Path) -> None:
    """Put what :func:`save` wrote into a module that was made anew.

    Raises:
        ModelError: The file is not there, or holds other parameters.
    """
    import torch
    from safetensors.torch import load_file

    wanted = trained(own)
    if not wanted:
        return
    path = folder / FILE
    if not path.exists():
        raise ModelError(
            f"there is no {FILE}, which holds what the objective trained beside the network",
            where=str(folder),
            next_step="tune again",
        )
    found = load_file(path)
    shapes = {name: tuple(weight.shape) for name, weight in found.items()}
    expected = {name: tuple(weight.shape) for name, weight in wanted.items()}
    if shapes != expected:
        raise ModelError(f"{FILE} holds {shapes}", where=str(path), expected=str(expected), next_step="tune again")
    with torch.no_grad():
        for name, weight in wanted.items():
            weight.copy_(found[name])
