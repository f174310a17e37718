"""Watches the loss: not a number, spikes, and validation that no longer improves."""

from __future__ import annotations

import math
from statistics import median

from sevenfold.errors import TrainingError

RECENT = 20
"""Steps whose median a new loss is compared with; a spike is looked for once half of them are there."""


def check(losses: list[float], norm: float, spike: float, where: str) -> None:
    """Stop before a bad step changes the weights.

    Args:
        losses: Mean losses so far, this step's last.
        norm: Norm of this step's gradient.
        spike: How far a loss may rise. With m the recent median and R the larger of ``|m|`` and the range of the
            recent losses, a loss above ``m + (spike - 1) R`` and above ``m + 1`` is a spike. Where losses are positive
            and wander by less than their median, that is ``spike`` times the median; one that may be negative or
            about zero, as of preferences and of policies, is measured by how far it wanders anyway.
        where: The step and its rows, for the message.

    Raises:
        TrainingError: The loss or the gradient is not a number, or the loss jumped.
    """
    loss = losses[-1]
    if not math.isfinite(loss) or not math.isfinite(norm):
        what = "loss" if not math.isfinite(loss) else "norm of the gradient"
        raise TrainingError(
            f"the {what} is not a number (loss {loss}, norm {norm}); the weights before this step are saved",
            where=where,
            next_step="lower tune.learning_rate, use setup.precision: float32, or look at these rows",
        )
    recent = losses[-RECENT - 1 : -1]
    if len(recent) < RECENT // 2:
        return
    usual = median(recent)
    limit = usual + (spike - 1) * max(abs(usual), max(recent) - min(recent))
    if loss > max(limit, usual + 1):
        raise TrainingError(
            f"the loss jumped to {loss:.3f} from a median of {usual:.3f}; the weights before this step are saved",
            where=where,
            expected=f"at most {limit:.3f}: tune.spike = {spike} times the median of the last {RECENT} steps, or as "
            "much above it as they wander",
            next_step="look at these rows, lower tune.learning_rate or tune.clip, or raise tune.spike",
        )


def is_over(validations: dict[int, float], patience: int | None) -> bool:
    """Whether the last ``patience`` validations brought no loss below the lowest before them."""
    if patience is None or len(validations) <= patience:
        return False
    losses = [validations[step] for step in sorted(validations)]
    return min(losses[-patience:]) >= min(losses[:-patience])
