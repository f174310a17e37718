"""What the training curve says, with the figures that it says it by, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, Field

from sevenfold.evaluate.levers import PATIENCE, Lever, levers, stops_at
from sevenfold.evaluate.shapes import CHECKS, Facts, Finding, Shape, measured, tenth
from sevenfold.evaluate.trained import Trained

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats

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
    """The figure that decided, in words, with what the gradients say."""
    advice: str
    """What to do next; with the settings' present and next values where the record has them."""
    evidence: dict[str, float]
    """``steps``, and in nats per token ``start``, ``end`` (means of the first and last tenth), ``noise`` (one step's),
    with validation ``validation_first``, ``validation_best``, ``validation_last``, the ``best_step`` and the ``gap``
    between the ends of the two; of the record those of :meth:`sevenfold.evaluate.trained.Trained.evidence`."""
    since: int | None = None
    """The step from which it went wrong, from 1; None where there is none to name."""
    levers: list[Lever] = Field(default_factory=list)
    """What to set to what, the best first; empty where the record does not say what was set."""
    stop: Stop | None = None
    """What early stopping would have done; None where validation kept getting better, or there is none."""


class Stop(BaseModel):
    """Early stopping on this curve."""

    step: int
    """The step after which the training ends."""
    spared: int
    """The steps behind it that were taken all the same."""
    patience: int
    """Validations without a lower loss that are waited for: the recipe's, or 2 where it has none."""


def read_curve(losses: Sequence[float], validation: dict[int, float], trained: Trained | None = None) -> Curve:
    """The verdict on a curve.

    Args:
        losses: Mean loss per supervised token of each step, nats.
        validation: Step to mean validation loss per supervised token, nats; may be empty.
        trained: What else the training's record says.
    """
    curve, trained = np.asarray(losses, dtype=np.float64), trained or Trained()
    evidence = {**measured(curve, validation), **trained.evidence()}
    for check in CHECKS:
        if found := check(Facts(curve, validation, trained, evidence)):
            break
    else:
        found = Finding("healthy", levelled(evidence))
    since = sharpened(found.since, curve, trained)
    pulled = levers(found.verdict, evidence, since, trained)
    return Curve(
        verdict=found.verdict,
        reason=found.reason + beside(found.verdict, evidence, trained),
        advice="; then ".join(lever.words() for lever in pulled) or ADVICE[found.verdict],
        evidence=finite(evidence),
        since=since,
        levers=pulled,
        stop=early(validation, len(curve), trained),
    )


def sharpened(since: int | None, losses: Floats, trained: Trained) -> int | None:
    """The step from which it went wrong; where gradients jumped, if the smoothing of losses may have hidden that."""
    jump = trained.jump()
    return jump if since and jump and 0 <= since - jump <= tenth(losses) else since


def levelled(evidence: dict[str, float]) -> str:
    """What a healthy curve did."""
    said = f"the loss fell from {evidence['start']:.3f} to {evidence['end']:.3f} and levelled off"
    if "validation_last" in evidence:
        best = evidence["validation_best"]
        return f"{said}; validation ended at {evidence['validation_last']:.3f}, its best was {best:.3f}"
    return f"{said}; without validation rows nothing says whether it was learnt by heart"


def beside(verdict: Shape, evidence: dict[str, float], trained: Trained) -> str:
    """What the gradients add to a bad verdict."""
    if verdict not in ("diverging", "fluctuating") or "gradient_highest" not in evidence:
        return ""
    said = f"; gradients grew to {evidence['gradient_highest']:.3g} from {evidence['gradient_first']:.3g} at the start"
    if (jump := trained.jump()) is not None:
        said += f", with a jump at step {jump}"
    return said + (f", and {evidence['clipped']:.0%} of the steps were clipped" if "clipped" in evidence else "")


def early(validation: dict[int, float], steps: int, trained: Trained) -> Stop | None:
    """What early stopping would have done."""
    patience = int(trained.figure("patience") or PATIENCE)
    step = stops_at(validation, patience)
    return None if step is None else Stop(step=step, spared=max(0, steps - step), patience=patience)


def finite(evidence: dict[str, float]) -> dict[str, float]:
    """The figures that JSON can hold."""
    return {name: value for name, value in evidence.items() if math.isfinite(value)}
