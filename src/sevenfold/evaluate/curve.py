"""What the training curve says, with the figures that it says it by, and what to do next.

The checks run in the order of harm: a curve that diverges is not also called underfit. Each compares something with
the curve's own noise, which is estimated from the differences of neighbouring steps, where the trend cancels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats

Shape = Literal["healthy", "underfit", "overfit", "fluctuating", "diverging", "too little signal", "not trained"]

MINIMUM_STEPS = 10
"""Fewer steps give no noise estimate worth a verdict."""
SURE = 3.0
"""Standard errors that a change must have to count: chance alone passes it once in some hundred curves."""
RISE = 0.1
"""An end this share above the start is divergence; a smaller rise can be harder rows coming last."""
OVERFIT = 0.02
"""Validation loss at the end this share above its best: twice what a few hundred rows usually wander by."""
SMALL = 0.1
"""A best validation loss below this share of its whole fall is about zero; a rise is then measured by the fall."""
SWING = 0.5
"""A smoothed curve that climbs back by this share of its whole fall goes up and down beyond the rows' own noise."""
STILL_FALLING = 0.25
"""Share of the fall that lies in the last third: a straight line has 0.33, three half-lives have 0.14."""

ADVICE: dict[Shape, str] = {
    "healthy": "keep the settings; more or better rows are the next thing to try",
    "underfit": "train longer (tune.epochs) or with twice the tune.learning_rate, then a higher adapter rank",
    "overfit": "fewer tune.epochs, more rows, or a lower tune.learning_rate; keep the best validation step",
    "fluctuating": "lower tune.learning_rate to a third, or double tune.batch; check that the rows are shuffled",
    "diverging": "lower tune.learning_rate to a tenth, add warm-up steps, and look at the rows of the first bad step",
    "too little signal": "train for more steps, raise tune.learning_rate, or check that the replies can be learnt",
    "not trained": "compare it with what it was made of, on the same rows",
}


class Curve(BaseModel):
    """The verdict on a training curve."""

    verdict: Shape
    reason: str
    """The figure that decided, in words."""
    advice: str
    evidence: dict[str, float]
    """``steps``, and in nats per token ``start``, ``end`` (means of the first and last tenth), ``noise`` (one step's),
    with validation ``validation_first``, ``validation_best``, ``validation_last`` and the ``best_step``."""


def read_curve(losses: Sequence[float], validation: dict[int, float]) -> Curve:
    """The verdict on a curve.

    Args:
        losses: Mean loss per supervised token of each step, nats.
        validation: Step to mean validation loss per supervised token, nats; may be empty.
    """
    curve = np.asarray(losses, dtype=np.float64)
    evidence = measured(curve, validation)
    for check in (not_trained, not_a_number, too_short, rose, no_change, overfit, swings, slow):
        found = check(curve, evidence)
        if found:
            return Curve(verdict=found[0], reason=found[1], advice=ADVICE[found[0]], evidence=finite(evidence))
    said = f"the loss fell from {evidence['start']:.3f} to {evidence['end']:.3f} and levelled off"
    if "validation_last" in evidence:
        said += (
            f"; validation ended at {evidence['validation_last']:.3f}, its best was {evidence['validation_best']:.3f}"
        )
    return Curve(verdict="healthy", reason=said, advice=ADVICE["healthy"], evidence=finite(evidence))


Finding = tuple[Shape, str] | None


def measured(curve: Floats, validation: dict[int, float]) -> dict[str, float]:
    """The figures that the checks read."""
    evidence = {"steps": float(len(curve))}
    if len(curve) > 1:
        width = tenth(curve)
        evidence["start"] = float(curve[:width].mean())
        evidence["end"] = float(curve[-width:].mean())
        evidence["noise"] = noise(curve)
        evidence["error"] = evidence["noise"] * math.sqrt(2 / width)
    known = {step: loss for step, loss in validation.items() if math.isfinite(loss)}
    if known:
        best = min(known, key=lambda step: known[step])
        evidence |= {"validation_first": known[min(known)], "validation_last": known[max(known)]}
        evidence |= {"validation_best": known[best], "best_step": float(best)}
    return evidence


def finite(evidence: dict[str, float]) -> dict[str, float]:
    """The figures that JSON can hold."""
    return {name: value for name, value in evidence.items() if math.isfinite(value)}


def tenth(curve: Floats) -> int:
    """A tenth of the steps, at least 3."""
    return max(3, len(curve) // 10)


def noise(curve: Floats) -> float:
    """The standard deviation of one step around the trend, nats.

    From the median of the absolute differences of neighbours (over 0.6745 for a normal spread, over sqrt 2 for two
    steps), so that spikes do not count.
    """
    return float(np.median(np.abs(np.diff(curve))) / 0.6745 / math.sqrt(2))


def smoothed(curve: Floats) -> Floats:
    """Running means over a tenth of the steps."""
    width = tenth(curve)
    return np.convolve(curve, np.ones(width) / width, mode="valid")


def not_trained(curve: Floats, evidence: dict[str, float]) -> Finding:
    """No step at all: what was learnt elsewhere was taken as it is."""
    return None if len(curve) else ("not trained", "no step was taken in this run")


def not_a_number(curve: Floats, evidence: dict[str, float]) -> Finding:
    """A loss that is infinite or not a number."""
    bad = np.flatnonzero(~np.isfinite(curve))
    return ("diverging", f"the loss of step {bad[0] + 1} is {curve[bad[0]]}") if len(bad) else None


def too_short(curve: Floats, evidence: dict[str, float]) -> Finding:
    """Too few steps to say anything."""
    if len(curve) >= MINIMUM_STEPS:
        return None
    return "too little signal", f"{len(curve)} steps; a verdict needs {MINIMUM_STEPS}"


def rose(curve: Floats, evidence: dict[str, float]) -> Finding:
    """The loss ends above its start."""
    climbed = evidence["end"] - evidence["start"]
    if climbed > SURE * evidence["error"] and climbed > RISE * abs(evidence["start"]):
        return "diverging", f"the loss rose from {evidence['start']:.3f} to {evidence['end']:.3f}"
    return None


def no_change(curve: Floats, evidence: dict[str, float]) -> Finding:
    """The loss moved by less than its noise, and validation does not know better."""
    moved = evidence["start"] - evidence["end"]
    learnt = evidence.get("validation_first", 0.0) - evidence.get("validation_best", 0.0)
    if moved > SURE * evidence["error"] or learnt > OVERFIT * abs(evidence.get("validation_first", math.inf)):
        return None
    return "too little signal", (
        f"the loss went from {evidence['start']:.3f} to {evidence['end']:.3f}, a change of {moved:.3f} "
        f"where {SURE * evidence['error']:.3f} is chance"
    )


def overfit(curve: Floats, evidence: dict[str, float]) -> Finding:
    """Validation turned upwards."""
    if "validation_last" not in evidence:
        return None
    best, fallen = evidence["validation_best"], evidence["validation_first"] - evidence["validation_best"]
    # A loss may be negative or about zero, as of preferences and of policies: a share of that says nothing.
    rise = (evidence["validation_last"] - best) / max(abs(best), SMALL * fallen, 1e-9)
    if rise <= OVERFIT:
        return None
    return "overfit", (
        f"validation loss was best at step {evidence['best_step']:.0f} ({best:.3f}) "
        f"and ended {f'{rise:.1%} higher' if best > SMALL * fallen else 'higher'} ({evidence['validation_last']:.3f})"
    )


def swings(curve: Floats, evidence: dict[str, float]) -> Finding:
    """The smoothed curve climbs back a good part of its fall on the way."""
    smooth = smoothed(curve)
    climb = float((smooth - np.minimum.accumulate(smooth)).max())
    fall = float(smooth[0] - smooth.min())
    if climb <= SWING * fall or climb <= SURE * evidence["error"]:
        return None
    return "fluctuating", f"the smoothed loss climbed back {climb:.3f} of a fall of {fall:.3f}"


def slow(curve: Floats, evidence: dict[str, float]) -> Finding:
    """The loss was still falling at the end."""
    width = tenth(curve)
    cut = 2 * len(curve) // 3
    before = float(curve[max(0, cut - width // 2) : cut + width - width // 2].mean())
    late, fall = before - evidence["end"], evidence["start"] - evidence["end"]
    if late <= STILL_FALLING * fall or late <= SURE * evidence["error"]:
        return None
    return "underfit", f"{late / fall:.0%} of the fall lies in the last third of the steps: it was still learning"
