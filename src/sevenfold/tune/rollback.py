"""Rolling part of a tuned model back to its base (Hui et al. 2024, arXiv 2404.18466, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.load.model import Model
from sevenfold.tune.tuned import Tuned

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.halves import Half


@dataclass(frozen=True)
class RolledBack:
    """What was rolled back.

    Args:
        names: Parameters that are the base's again.
        weights: How many numbers they hold.
        changed: How many of these training had changed.
        of: Numbers in the whole model.
    """

    names: list[str]
    weights: int
    changed: int
    of: int


def put_back(network: PreTrainedModel, base: PreTrainedModel, names: set[str]) -> RolledBack:
    """Copy some parameters of the base into a network of the same architecture."""
    import torch

    theirs = dict(base.named_parameters())
    weights = changed = 0
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name in names:
                weights += weight.numel()
                changed += int((weight != theirs[name]).sum())
                weight.copy_(theirs[name])
    return RolledBack(sorted(names), weights, changed, sum(weight.numel() for weight in network.parameters()))


def roll_back(
    tuned: Tuned, model: Model, which: Half | list[str], folder: Path, dtype: torch.dtype | None = None, seed: int = 0
) -> RolledBack:
    """Write a tuned model of which a part is the base's again: what was forgotten may come back with it.

    It is for any method that merges, and changes nothing of the training's own files. The tokenizer is not written.

    Args:
        tuned: The tuned model.
        model: Its base.
        which: ``even`` or ``odd``: every second weight of attention, feed-forward and norms of each block; a share
            drawn at random; or patterns of parameters' names.
        folder: Gets the whole model as safetensors with its configuration.
        dtype: The type of the weights; default: float32.
        seed: Of the random share.

    Raises:
        ModelError: The method gives something that is no plain weights.
        RecipeError: ``which`` is none of these, or a pattern names nothing.
    """
    import torch

    from sevenfold.tune import partial
    from sevenfold.tune.engine import halves

    dtype = dtype or torch.float32
    network, base = tuned.merged(model, dtype), model.network(dtype)
    if isinstance(which, list):
        names = set(partial.matching(base, which, "which"))
    else:
        names = halves.half(halves.parts(base), which, seed)
    found = put_back(network, base, names)
    folder.mkdir(parents=True, exist_ok=True)
    partial.save(network, folder)
    return found
