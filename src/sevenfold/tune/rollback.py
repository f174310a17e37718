"""Rolling part of a tuned model back to its base (Hui et al. 2024, arXiv 2404.18466, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.errors import ModelError
from sevenfold.load.model import Model
from sevenfold.tune.tuned import Tuned

if TYPE_CHECKING:
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


def roll_back(tuned: Tuned, model: Model, which: Half | list[str], seed: int = 0) -> tuple[PreTrainedModel, RolledBack]:
    """A tuned model of which a part is the base's again: what was forgotten may come back with it.

    It is for any method that merges, and changes nothing of the training's own files.

    Args:
        tuned: The tuned model.
        model: Its base.
        which: ``even`` or ``odd``: every second weight of attention, feed-forward and norms of each block; a share
            drawn at random; or patterns of parameters' names.
        seed: Of the random share.

    Returns:
        The network as plain weights in float32, and what was rolled back.

    Raises:
        ModelError: The method gives something that is no plain weights.
        RecipeError: ``which`` is none of these, or a pattern names nothing.
    """
    import torch

    from sevenfold.tune import partial
    from sevenfold.tune.engine import halves

    if reason := tuned.unmergeable():
        raise ModelError(reason, expected="weights of the base's own names", next_step="train with lora, hft or full")
    base = model.network(torch.float32)
    if isinstance(which, list):
        names = set(partial.matching(base, which, "which"))
    else:
        names = halves.half(halves.parts(base), which, seed)
    network = tuned.merged(model, torch.float32)
    return network, put_back(network, base, names)
