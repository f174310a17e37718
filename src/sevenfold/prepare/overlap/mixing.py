"""Numbers of 64 bits mixed so that each bit of what goes in changes half of those that come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

MIX = 0x9E3779B97F4A7C15
"""2 to the 64 over the golden ratio: multiplying by it spreads neighbours far apart (Knuth, volume 3, section 6.4)."""


def mixed(state: NDArray[numpy.uint64], more: NDArray[numpy.uint64]) -> NDArray[numpy.uint64]:
    """A state that has taken in more numbers, place by place; the order in which they are taken in counts."""
    import numpy

    state = (state ^ more) * numpy.uint64(MIX)
    state ^= state >> numpy.uint64(29)
    return state
