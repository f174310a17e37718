"""Dropout of the network's own, at another share than its configuration says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch import nn

from sevenfold.errors import RecipeError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

OTHER = ("layerdrop", "classifier", "token")
"""Parts of names of shares that leave out something else than single figures of the states."""


def apply(share: float | None, network: PreTrainedModel) -> list[str]:
    """Set the share that is left out wherever the network has dropout; call it before a method is attached.

    Args:
        share: ``tune.dropout``; None: all stays as the configuration says.
        network: The base; its configuration stays what it is, so nothing of this is saved.

    Returns:
        What the user should know.

    Raises:
        RecipeError: The network has no place for it.
    """
    if share is None:
        return []
    found: Counter[str] = Counter()
    for name, module in network.named_modules():
        if isinstance(module, nn.Dropout):
            module.p = share
            found[f"{name.rpartition('.')[2]}"] += 1
        for field in shares(module):
            setattr(module, field, share)
            found[field] += 1
    if not found:
        raise RecipeError(
            f"tune.dropout = {share}, and {type(network).__name__} has no dropout in any of its layers",
            where="tune.dropout",
            next_step="leave it out; lora has a dropout of its own: tune.method: {lora: {dropout: 0.1}}",
        )
    places = ", ".join(f"{name} ({count})" for name, count in found.items())
    return [f"dropout of {share:.0%} in {type(network).__name__}: {places}"]


def shares(module: nn.Module) -> Iterator[str]:
    """The names of a module's plain numbers that say how much is left out, such as ``attention_dropout``."""
    for name, value in vars(module).items():
        named = ("dropout" in name or name.endswith("pdrop")) and not any(other in name for other in OTHER)
        if named and isinstance(value, float | int) and not isinstance(value, bool):
            yield name
