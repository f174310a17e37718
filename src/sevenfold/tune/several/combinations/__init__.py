"""Ways to make one adapter of several. One file each; its name is its name on the command line.

Every one is given one layer at a time, so that no more than one layer's full weight is ever in memory.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sevenfold.tune.several.files import Pair


@dataclass(frozen=True)
class Weighted:
    """One parent's change of a layer, and how much it counts.

    Args:
        pair: The change; None where the parent leaves the layer alone.
        weight: Any number; below zero takes the change away.
    """

    pair: Pair | None
    weight: float


@dataclass(frozen=True)
class Layer:
    """One layer in all parents.

    Args:
        name: Its full name.
        parents: In the order in which they were named; at least one changes the layer.
        rank: The largest rank that any parent has in any layer: what the file will have room for.
    """

    name: str
    parents: Sequence[Weighted]
    rank: int

    def there(self) -> list[tuple[Pair, float]]:
        """The parents that change the layer, with their weights."""
        return [(parent.pair, parent.weight) for parent in self.parents if parent.pair is not None]


@dataclass(frozen=True)
class Combined:
    """What a layer's change became.

    Args:
        down_RI: A; the scale is in A and B.
        up_OR: B.
        kept: Sum of the squares of what is kept of the change.
        total: Sum of the squares of the whole change.
    """

    down_RI: Tensor
    up_OR: Tensor
    kept: float = 0.0
    total: float = 0.0


class Combination(Component):
    """How the changes of one layer become one."""

    @abstractmethod
    def combine(self, layer: Layer, generator: torch.Generator) -> Combined:
        """One change of a layer's several ones.

        Args:
            layer: The parents' changes, float32.
            generator: What is drawn at random comes from here; seeded once for all layers, which come in order.

        Raises:
            RecipeError: These parents cannot be combined in this way.
        """


COMBINATIONS = Registry[Combination](__name__, Combination)
