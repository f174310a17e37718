"""The plan of some work."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sevenfold.errors import MachineError
from sevenfold.setup.plan.advice import advise, fewest_recomputed, gigabytes
from sevenfold.setup.plan.operations import TRAINING_SHARE, flops
from sevenfold.setup.plan.parts import memory, total
from sevenfold.setup.plan.work import Work


@dataclass(frozen=True)
class Plan:
    """What the work needs and what there is.

    Args:
        parts: Bytes by part, in the order in which they are shown.
        available_bytes: Memory that is free for it.
        seconds: Time of all forward and backward passes; validation and loading come on top.
        advice: What would fit, when this does not.
        recomputed: Blocks that are computed again in the backward pass.
    """

    parts: dict[str, int]
    available_bytes: int
    seconds: float
    advice: list[str]
    recomputed: int = 0

    @property
    def total_bytes(self) -> int:
        """The sum of the parts: the expected peak."""
        return sum(self.parts.values())

    @property
    def fits(self) -> bool:
        """Whether the peak is within what is available."""
        return self.total_bytes <= self.available_bytes

    def require(self) -> None:
        """Stop before the work starts if it cannot end.

        Raises:
            MachineError: It needs more memory than there is; the message says what would fit.
        """
        if self.fits:
            return
        largest = max(self.parts, key=lambda name: self.parts[name])
        raise MachineError(
            f"training needs about {gigabytes(self.total_bytes)}, of which {largest} {gigabytes(self.parts[largest])}",
            expected=f"at most {gigabytes(self.available_bytes)}, which are free now",
            next_step="; or ".join(self.advice) or "a smaller model, or a machine with more memory",
        )


def make(work: Work, available_bytes: int, rate: float) -> Plan:
    """The plan of some work.

    Args:
        work: What is to be trained.
        available_bytes: Free memory of the device.
        rate: FLOP/s of plain products, from :func:`measure_rate`; training reaches :data:`TRAINING_SHARE` of it.
    """
    if work.recomputed is None:
        work = replace(work, recomputed=fewest_recomputed(work, available_bytes))
    short = total(work) > available_bytes
    advice = advise(work, available_bytes) if short else []
    return Plan(memory(work), available_bytes, flops(work) / (TRAINING_SHARE * rate), advice, work.recomputed or 0)
