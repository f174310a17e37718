"""Methods that move some of the network's own weights and freeze the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.errors import RecipeError, closest
from sevenfold.quiet import quiet
from sevenfold.tune import own

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def matching(network: PreTrainedModel, patterns: Iterable[str], where: str) -> list[str]:
    """The names of the parameters that a pattern names; ``*`` stands for anything.

    Args:
        network: The network.
        patterns: Each must name a parameter.
        where: The field that holds the patterns.

    Raises:
        RecipeError: A pattern matches nothing.
    """
    patterns = list(patterns)
    parameters = [name for name, _ in network.named_parameters()]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in parameters):
            near = mended(pattern, parameters)
            raise RecipeError(
                f"no parameter is named {pattern!r}",
                where=where,
                value=pattern,
                alternatives=[*([near] if near else []), *kinds(parameters)],
            )
    return [name for name in parameters if any(fnmatchcase(name, pattern) for pattern in patterns)]


def mended(pattern: str, parameters: list[str]) -> str | None:
    """The pattern with each word that no parameter has as the word it is nearest to, if it then names one."""
    words = {word for name in parameters for word in name.split(".")}
    parts = re.split(r"([.*])", pattern)
    near = "".join(part if not part or part in words | {".", "*"} else closest(part, words) or part for part in parts)
    return near if any(fnmatchcase(name, near) for name in parameters) else None


def kinds(parameters: list[str]) -> list[str]:
    """Names of parameters as patterns, those of all blocks as one."""
    return list(dict.fromkeys(re.sub(r"\.\d+\.", ".*.", name) for name in parameters))


def free(network: PreTrainedModel, names: Iterable[str]) -> None:
    """Let just these parameters move; the types of all weights stay."""
    chosen = set(names)
    for name, weight in network.named_parameters():
        weight.requires_grad_(name in chosen)


def move(network: PreTrainedModel, names: Iterable[str]) -> None:
    """Let just these parameters move, held in float32 so that small steps are not rounded away."""
    free(network, names)
    for weight in network.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()


def save(network: PreTrainedModel, folder: Path) -> None:
    """Write the whole model as safetensors with its configuration; every weight in the type in which it lies."""
    with quiet():
        network.save_pretrained(folder)


def load(network: PreTrainedModel, folder: Path) -> None:
    """Put the weights that move into a network in which they were freed; nothing else is read.

    What is frozen stays as the base has it, at the type in which the network was built.

    Raises:
        ValueError: The folder lacks a weight that moves.
    """
    from safetensors import safe_open

    missing = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    for path in own.others(folder):
        with safe_open(path, "pt") as file:
            for name in sorted(missing.keys() & set(file.keys())):
                missing.pop(name).data.copy_(file.get_tensor(name))
    if missing:
        raise ValueError(f"{folder} does not fit the network: {', '.join(sorted(missing)[:5])}")
