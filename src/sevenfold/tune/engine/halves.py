"""A network's blocks in parts, and which of them move in a round."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from sevenfold.errors import RecipeError
from sevenfold.tune.engine import blocks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Strategy = Literal["category", "layer", "model", "random"]
Half = Literal["even", "odd"] | float


@dataclass(frozen=True)
class Part:
    """A weight with its bias: what moves or is frozen as one.

    Args:
        block: Number of its block; a decoder's are counted behind its encoder's.
        category: What it does there.
        names: Its parameters.
    """

    block: int
    category: Literal["attention", "feed-forward", "norms"]
    names: tuple[str, ...]


def parts(network: PreTrainedModel) -> list[Part]:
    """All parts of the network's blocks, lowest first, in the order in which the network has them."""
    found = enumerate(blocks.named(network).items())
    return [part for number, (name, block) in found for part in parts_of(block, number, name)]


def parts_of(block: nn.Module, number: int, prefix: str) -> Iterator[Part]:
    """The parts of one block. Weights of one module are parts of their own when they are several, as experts are."""
    for path, module in block.named_modules(prefix=prefix):
        own = dict(module.named_parameters(recurse=False))
        matrices = [name for name, weight in own.items() if weight.ndim > 1]
        category = category_of(path, module, bool(matrices))
        if len(matrices) > 1:
            yield from (Part(number, category, (f"{path}.{name}",)) for name in own)
        elif own:
            yield Part(number, category, tuple(f"{path}.{name}" for name in own))


def category_of(path: str, module: nn.Module, matrix: bool) -> Literal["attention", "feed-forward", "norms"]:
    """What a module does in its block, by its class and by the names of what it lies in."""
    if "norm" in type(module).__name__.lower() or not matrix:
        return "norms"
    return "attention" if "attn" in path.lower() or "attention" in path.lower() else "feed-forward"


def moving(found: list[Part], strategy: Strategy, share: float, number: int, seed: int) -> set[str]:
    """The names of the parameters that move in a round; nothing but the arguments decides.

    Each part has a place in an order that is drawn once, and each round takes the next stretch of it, as a ring. So all
    parts move equally often, and with half as the share every second round moves just what the one before did not.
    ``random`` draws a new order for each round instead.

    Args:
        found: The parts.
        strategy: Where the share is kept: of each category in each block, of the blocks, or of all parts together.
        share: Of the parts, over 0 to 1.
        number: Of the round, from 0.
        seed: Of the order.
    """
    generator = torch.Generator().manual_seed(seed if strategy != "random" else seed * 1_000_003 + number)
    chosen: set[str] = set()
    for group in groups(found, strategy):
        order = torch.randperm(len(group), generator=generator).tolist()
        # Neighbouring blocks are a round apart: of three matrices one takes the one half, the next the other.
        later = group[0][0].block if strategy == "category" else 0
        first = 0 if strategy == "random" else number + later
        for place in stretch(len(group), share, first):
            chosen.update(name for part in group[order[place]] for name in part.names)
    return chosen


def stretch(count: int, share: float, number: int) -> list[int]:
    """The places of a ring of ``count`` that the round takes."""
    start, end = math.floor(number * count * share), math.floor((number + 1) * count * share)
    return [place % count for place in range(start, end)]


def groups(found: list[Part], strategy: Strategy) -> Iterator[list[list[Part]]]:
    """What the share is kept of: each group is a list of what moves together."""
    if strategy == "category":
        for parts_together in gathered(found, lambda part: (part.block, part.category)):
            yield [[part] for part in parts_together]
    elif strategy == "layer":
        yield gathered(found, lambda part: part.block)
    else:
        yield [[part] for part in found]


def gathered(found: list[Part], key: Callable[[Part], object]) -> list[list[Part]]:
    """Parts that have something in common, together."""
    together: dict[object, list[Part]] = {}
    for part in found:
        together.setdefault(key(part), []).append(part)
    return list(together.values())


def half(found: list[Part], which: Half, seed: int) -> set[str]:
    """The names of the parameters in a half, or another share, of each category in each block.

    Args:
        found: The parts.
        which: Every second part, beginning with the first (``even``) or the second (``odd``); or a share, drawn at
            random.
        seed: Of the random share.

    Raises:
        RecipeError: ``which`` is none of these.
    """
    if isinstance(which, float) and 0 < which <= 1:
        return moving(found, "category", which, 0, seed)
    if which not in ("even", "odd"):
        raise RecipeError(
            f"{which!r} is no half of a model",
            value=str(which),
            alternatives=["even", "odd"],
            expected="one of these, a share over 0 to 1, or names of parameters with * for anything",
        )
    every_second = slice(0 if which == "even" else 1, None, 2)
    together = gathered(found, lambda part: (part.block, part.category))
    return {name for group in together for part in group[every_second] for name in part.names}
