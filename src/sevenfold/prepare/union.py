"""Union-find: things that belong together, directly or through others (Tarjan 1975)."""

from __future__ import annotations

from collections import defaultdict
from typing import Generic, TypeVar

T = TypeVar("T", int, str)


class Union(Generic[T]):
    """Sets that grow together; each is known by its smallest member, whatever the order of joining."""

    def __init__(self) -> None:
        self.parent: dict[T, T] = {}

    def root(self, item: T) -> T:
        """The smallest member of the item's set; an item that was never joined is its own."""
        while (above := self.parent.get(item, item)) != item:
            # The item is hung one step higher, so that long ways are gone once.
            self.parent[item] = item = self.parent.get(above, above)
        return item

    def join(self, one: T, other: T) -> None:
        """Make one set of the two items' sets."""
        one, other = self.root(one), self.root(other)
        if one != other:
            self.parent[max(one, other)] = min(one, other)

    def sets(self) -> dict[T, list[T]]:
        """The sets of two and more by their smallest members; the members in order."""
        found: defaultdict[T, list[T]] = defaultdict(list)
        for item in list(self.parent):
            found[self.root(item)].append(item)
        for root, others in found.items():
            others.append(root)
            others.sort()
        return dict(found)
