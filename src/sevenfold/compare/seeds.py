"""Does a gain survive the seed: variants that differ in nothing but ``setup.seed``, taken together.

The paired bootstrap is about the rows: it says what one training is worth on other rows. What chance does in training
(the order of rows, the adapter's first values) it cannot see. Where ``setup.seed`` is an axis of the comparison, the
gain of each seed over the base is one measurement, and Student's interval of their mean says what the next seed's
training may be expected to bring.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sevenfold.compare.verdict import listed
from sevenfold.report.words import number, signed

AXIS = "setup.seed"
Told = dict[str, Any]


def over_seeds(done: Sequence[Told], metric: str, confidence: float = 0.95) -> list[Told]:
    """The gains of each way over its seeds.

    Args:
        done: The figures of variants that are done, with their axes' ``values``.
        metric: The metric that judges.
        confidence: The share of such intervals that hold the mean of endless seeds.

    Returns:
        For each way with several seeds: ``variants``, ``seeds``, ``gains`` (tuned less base), ``mean``, ``spread``
        (their standard deviation), ``interval`` of the mean, and ``better``, as a comparison says it.
    """
    ways: dict[str, list[Told]] = {}
    for one in done:
        if AXIS in one["values"]:
            rest = {key: value for key, value in one["values"].items() if key != AXIS}
            ways.setdefault(json.dumps(rest, sort_keys=True), []).append(one)
    return [together(ones, metric, confidence) for ones in ways.values() if len(ones) > 1]


def together(ones: Sequence[Told], metric: str, confidence: float) -> Told:
    """One way's gains over its seeds."""
    from scipy.special import stdtrit

    gains = [one["metrics"][metric]["difference"] for one in ones]
    mean, spread, count = float(np.mean(gains)), float(np.std(gains, ddof=1)), len(gains)
    reach = float(stdtrit(count - 1, (1 + confidence) / 2)) * spread / math.sqrt(count)
    sign = 1 if ones[0]["metrics"][metric]["direction"] == "higher" else -1
    worst, best = sign * mean - reach, sign * mean + reach
    return {
        "variants": [one["name"] for one in ones],
        "seeds": [one["values"][AXIS] for one in ones],
        "gains": gains,
        "mean": mean,
        "spread": spread,
        "interval": [mean - reach, mean + reach],
        "confidence": confidence,
        "better": "yes" if worst > 0 else "no" if best < 0 else "unclear",
    }


def sentence(found: Told, metric: str) -> str:
    """What the seeds say."""
    low, high = found["interval"]
    word = {"yes": "the gain survives the seed", "no": "the loss survives the seed", "unclear": "seeds disagree"}
    return (
        f"Over {len(found['seeds'])} seeds ({listed(found['variants'])}) {metric} changes by {signed(found['mean'])} "
        f"on average ({signed(low)} to {signed(high)}), {number(found['spread'])} from seed to seed: "
        f"{word[found['better']]}."
    )
