"""The parts of a block: what mixes tokens, and what works on each alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from torch import nn

MIXES = re.compile("attention|attn|mixer|mamba|delta|conv|recurrent|ssm|retention|rwkv", re.IGNORECASE)
"""In the names of classes that mix tokens."""
FEEDS = re.compile(r"mlp|ffn|feed_?forward|moe|expert|denseact|densegated|(^|_)ff($|_)|ff_layer", re.IGNORECASE)
"""In the names of feed-forward parts, or of their classes."""
NORM = re.compile("norm", re.IGNORECASE)


@dataclass
class Parts:
    """Names of modules in a block.

    Args:
        attention: What mixes tokens.
        feed_forward: What works on each token alone.
    """

    attention: list[str] = field(default_factory=list)
    feed_forward: list[str] = field(default_factory=list)


def of_block(block: nn.Module) -> Parts:
    """The parts of a block, found by the names that classes and modules have.

    Where the two layers of the feed-forward part stand in the block itself, the last one is the part.
    """
    found, single = Parts(), []
    for name, part in leaves(block, ""):
        if isinstance(part, nn.Linear):
            single.append(name)
        elif is_mixer(part):
            found.attention.append(name)
        else:
            found.feed_forward.append(name)
    return found if found.feed_forward or not single else Parts(found.attention, single[-1:])


def leaves(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    """The parts that are one thing: containers are opened, norms and what has no matrices are left out."""
    for child, part in module.named_children():
        name = f"{prefix}{child}"
        if NORM.search(type(part).__name__) or not any(weight.ndim > 1 for weight in part.parameters()):
            continue
        if isinstance(part, nn.Linear) or is_mixer(part) or FEEDS.search(child) or FEEDS.search(type(part).__name__):
            yield name, part
        else:
            yield from leaves(part, f"{name}.")


def is_mixer(part: nn.Module) -> bool:
    """Whether a module mixes tokens, and no module inside of it does that alone; single layers are no such modules."""
    return mixes(part) and not any(mixes(other) for other in part.modules() if other is not part)


def mixes(part: nn.Module) -> bool:
    """Whether a module's class says that it mixes tokens, and it has matrices in layers of its own."""
    inner = (weight for child in part.children() for weight in child.parameters())
    return bool(MIXES.search(type(part).__name__)) and any(weight.ndim > 1 for weight in inner)
