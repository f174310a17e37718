"""The shapes of training curves: a check for each, in the order of harm, and the figures that they read.

Each compares something with the curve's own noise, which is estimated from the differences of neighbouring steps, where
the trend cancels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats
    from sevenfold.evaluate.trained import Trained

Shape = Literal["healthy", "underfit", "overfit", "fluctuating", "diverging", "too little signal", "not trained"]

MINIMUM_STEPS = 10
"""Fewer steps give no noise estimate worth a verdict."""
SURE = 3.0
"""Standard errors that a change must have to count: chance alone passes it once in some hundred curves."""
SURE_OF_MANY = 5.0
"""The same for the largest of many windows of a curve."""
RISE = 0.1
"""An end this share above the start is divergence; a smaller rise can be harder rows coming last."""
OVERFIT = 0.02
"""Validation loss at the end this share above its best: twice what a few hundred rows usually wander by."""
SMALL = 0.1
"""A best validation loss below this share of its whole fall is about zero; a rise is then measured by the fall."""
SWING = 0.5
"""A smoothed curve that climbs back by this share of its whole fall goes up and down beyond the rows' own noise."""
WOBBLE, WAY = 0.03, 0.1
"""A turn of the validation loss counts by this share of the loss, and by this share of its whole way up and down."""
TURNS = 3
"""Down, up, down and up again."""
SPIKE, AROUND, SPIKES = 8.0, 4, 0.02
"""A spike stands so many times the noise above the median of so many steps on either side; so large a share of steps
makes a curve fluctuate."""
LITTLE = 0.02
"""A fall of less than this share of the start is next to nothing."""
STILL_FALLING = 0.25
"""Share of the fall that lies in the last third: a straight line has 0.33, three half-lives have 0.14."""


@dataclass(frozen=True)
class Facts:
    """What a check reads: the losses, the validations, the record, and the figures of all."""

    curve: Floats
    validation: dict[int, float]
    trained: Trained
    evidence: dict[str, float]


class Finding(NamedTuple):
    """What a check found: the verdict, the figure that decided, and the step from which it went wrong."""

    verdict: Shape
    reason: str
    since: int | None = None


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
        if "end" in evidence:
            evidence["gap"] = evidence["validation_last"] - evidence["end"]
    return evidence


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


def not_trained(facts: Facts) -> Finding | None:
    """No step at all: what was learnt elsewhere was taken as it is."""
    return None if len(facts.curve) else Finding("not trained", "no step was taken in this run")


def not_a_number(facts: Facts) -> Finding | None:
    """A loss that is infinite or not a number."""
    bad = np.flatnonzero(~np.isfinite(facts.curve))
    if not len(bad):
        return None
    return Finding("diverging", f"the loss of step {bad[0] + 1} is {facts.curve[bad[0]]}", int(bad[0]) + 1)


def too_short(facts: Facts) -> Finding | None:
    """Too few steps to say anything."""
    if len(facts.curve) >= MINIMUM_STEPS:
        return None
    return Finding("too little signal", f"{len(facts.curve)} steps; a verdict needs {MINIMUM_STEPS}")


def rose(facts: Facts) -> Finding | None:
    """The loss ends above its start, or all losses end above the base's; by the median, so that one step is none."""
    evidence = facts.evidence
    end = min(evidence["end"], float(np.median(facts.curve[-tenth(facts.curve) :])))
    # At a high rate all is lost within the first tenth; only the base's own loss says where it began.
    first, last = evidence.get("validation_first", math.inf), evidence.get("validation_last", math.inf)
    for begin, finish in ((evidence["start"], end), (first, min(end, last))):
        if finish - begin > max(SURE * evidence["error"], RISE * abs(begin)):
            high = np.flatnonzero(facts.curve > (begin + finish) / 2)
            since = int(high[0]) + 1 if begin == first and len(high) else lowest(facts.curve)
            return Finding("diverging", f"the loss rose from {begin:.3f} to {finish:.3f}", since)
    return None


def stayed_up(facts: Facts) -> Finding | None:
    """The loss fell, climbed back by half of that or more, and stayed there to the end."""
    smooth = smoothed(facts.curve)
    low, fall = float(smooth.min()), float(smooth[0] - smooth.min())
    climb = float(smooth[-max(3, len(smooth) // 4) :].min()) - low
    if climb <= SWING * fall or climb <= SURE * facts.evidence["error"]:
        return None
    said = f"the smoothed loss fell to {low:.3f} and then stayed at {low + climb:.3f} or above"
    return Finding("diverging", said, lowest(facts.curve))


def no_change(facts: Facts) -> Finding | None:
    """The loss moved by less than its noise, and validation does not know better."""
    evidence = facts.evidence
    moved = evidence["start"] - evidence["end"]
    learnt = evidence.get("validation_first", 0.0) - evidence.get("validation_best", 0.0)
    if moved > SURE * evidence["error"] or learnt > OVERFIT * abs(evidence.get("validation_first", math.inf)):
        return None
    if evidence.get("gradient_highest", 1.0) == 0:
        return Finding("too little signal", "every gradient was zero: what is learnt does not reach the loss", 1)
    said = (
        f"the loss went from {evidence['start']:.3f} to {evidence['end']:.3f}, a change of {moved:.3f} "
        f"where {SURE * evidence['error']:.3f} is chance"
    )
    return Finding("too little signal", said)


def wobbles(facts: Facts) -> Finding | None:
    """Validation goes down, up, down and up again by more than it wanders."""
    known = [(step, facts.validation[step]) for step in sorted(facts.validation)]
    whole = max(facts.validation.values()) - min(facts.validation.values()) if known else 0.0
    turns, since = 0, None
    extreme, falling = known[0] if known else (0, 0.0), True
    for step, loss in known[1:]:
        if (loss < extreme[1]) == falling:
            extreme = (step, loss)
        elif abs(loss - extreme[1]) > max(WOBBLE * abs(extreme[1]), WAY * whole):
            turns, since = turns + 1, since or extreme[0]
            extreme, falling = (step, loss), not falling
    if turns < TURNS:
        return None
    return Finding(
        "fluctuating", f"validation loss turned {turns} times, by {WAY:.0%} of its way or more", max(1, since or 1)
    )


def overfit(facts: Facts) -> Finding | None:
    """Validation turned upwards."""
    evidence = facts.evidence
    if "validation_last" not in evidence:
        return None
    best, fallen = evidence["validation_best"], evidence["validation_first"] - evidence["validation_best"]
    # A loss may be negative or about zero, as of preferences and of policies: a share of that says nothing.
    rise = (evidence["validation_last"] - best) / max(abs(best), SMALL * fallen, 1e-9)
    if rise <= OVERFIT:
        return None
    said = (
        f"validation loss was best at step {evidence['best_step']:.0f} ({best:.3f}) "
        f"and ended {f'{rise:.1%} higher' if best > SMALL * fallen else 'higher'} ({evidence['validation_last']:.3f})"
    )
    # Where the rows that it learns from got worse by as much, it did not learn them by heart.
    at = int(evidence["best_step"])
    near = facts.curve[max(0, at - tenth(facts.curve)) : at + tenth(facts.curve)]
    if evidence["end"] - float(near.mean()) > (evidence["validation_last"] - best) / 2:
        return Finding("fluctuating", f"{said}, and the loss of the training rows rose with it", max(1, at))
    return Finding("overfit", said, at)


def swings(facts: Facts) -> Finding | None:
    """The smoothed curve climbs back a good part of its fall on the way."""
    smooth = smoothed(facts.curve)
    climbs = smooth - np.minimum.accumulate(smooth)
    climb, fall = float(climbs.max()), float(smooth[0] - smooth.min())
    if climb <= SWING * fall or climb <= SURE_OF_MANY * facts.evidence["error"]:
        return None
    since = int(smooth[: int(climbs.argmax()) + 1].argmin()) + tenth(facts.curve)
    return Finding("fluctuating", f"the smoothed loss climbed back {climb:.3f} of a fall of {fall:.3f}", since)


def spikes(facts: Facts) -> Finding | None:
    """Single steps stand far above their neighbours, again and again."""
    curve, evidence = facts.curve, facts.evidence
    around = np.lib.stride_tricks.sliding_window_view(np.pad(curve, AROUND, mode="edge"), 2 * AROUND + 1)
    above = curve - np.median(around, axis=1)
    fall = evidence["start"] - evidence["end"]
    found = np.flatnonzero((above > SPIKE * evidence["noise"]) & (above > SWING * abs(fall)))
    if len(found) < max(2, SPIKES * len(curve)):
        return None
    said = f"{len(found)} of {len(curve)} steps stand more than {SPIKE:.0f} times the noise above their neighbours"
    return Finding("fluctuating", said, int(found[0]) + 1)


def slow(facts: Facts) -> Finding | None:
    """The loss was still falling at the end, measured by how far the learning rates had gone."""
    return still_learning(facts) or still_falling(facts)


def still_learning(facts: Facts) -> Finding | None:
    """The same of the validation loss, which hardly has noise: at least three validations behind the first."""
    known = sorted(step for step in facts.validation if step <= len(facts.curve))
    if len(known) < 4 or facts.evidence["validation_first"] - facts.evidence["validation_last"] <= 0:
        return None
    places = np.concatenate([[0.0], facts.trained.distance(len(facts.curve))])[known]
    losses = np.array([facts.validation[step] for step in known])
    fall = float(losses[0] - losses[-1])
    late = float(np.interp(2 / 3, places, losses)) - float(losses[-1])
    if late <= STILL_FALLING * fall or fall <= LITTLE * abs(float(losses[0])):
        return None
    facts.evidence["late"] = late / fall
    return Finding(
        "underfit", f"{late / fall:.0%} of the fall of the validation loss lies in the last third{of(facts)}"
    )


def of(facts: Facts) -> str:
    """Of what a last third is one."""
    way = " of the steps" if not len(facts.trained.rates) else " of the way that the learning rates went"
    return f"{way}: still learning"


def still_falling(facts: Facts) -> Finding | None:
    """The same of the steps' losses."""
    curve, evidence = facts.curve, facts.evidence
    width = tenth(curve)
    cut = int(np.searchsorted(facts.trained.distance(len(curve)), 2 / 3))
    before = float(curve[max(0, cut - width // 2) : cut + width - width // 2].mean())
    late, fall = before - evidence["end"], evidence["start"] - evidence["end"]
    if late <= STILL_FALLING * fall or late <= SURE * evidence["error"]:
        return None
    evidence["late"] = late / fall
    return Finding("underfit", f"{late / fall:.0%} of the fall lies in the last third{of(facts)}")


def little(facts: Facts) -> Finding | None:
    """The loss moved beyond its noise, but by next to nothing, and stayed high."""
    evidence = facts.evidence
    fall = evidence["start"] - evidence["end"]
    learnt = evidence.get("validation_first", 0.0) - evidence.get("validation_best", 0.0)
    if fall > LITTLE * abs(evidence["start"]) or learnt > LITTLE * abs(evidence.get("validation_first", math.inf)):
        return None
    said = f"the loss fell by no more than {fall / abs(evidence['start']):.1%}, from {evidence['start']:.3f}"
    return Finding("underfit", f"{said} to {evidence['end']:.3f}")


def lowest(curve: Floats) -> int:
    """The step, from 1, at which the smoothed curve was lowest."""
    return min(len(curve), int(smoothed(curve).argmin()) + (tenth(curve) + 1) // 2)


CHECKS: tuple[Callable[[Facts], Finding | None], ...] = (
    not_trained,
    not_a_number,
    too_short,
    rose,
    stayed_up,
    wobbles,
    swings,
    spikes,
    no_change,
    overfit,
    slow,
    little,
)
"""In the order of harm."""
