"""Several questions at once: the more are asked, the likelier chance answers one of them.

Holm's step-down correction (Holm 1979, "A simple sequentially rejective multiple test procedure"): the smallest of k
p-values is multiplied by k, the next by k - 1, and so on, none below the one before. The chance of even one false alarm
among all questions stays at the level of one. It holds however the questions depend on each other, as metrics of the
same answers do, and finds all that Bonferroni finds and more. Control of the false discovery rate (Benjamini and
Hochberg) would find more still, but promises less: with it a tuning that did nothing would be called better too often.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from sevenfold.evaluate.paired import Comparison, verdict

K = TypeVar("K", bound=Hashable)


def holm(p_values: Sequence[float]) -> list[float]:
    """The adjusted p-values, in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for done, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - done) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def corrected(comparisons: Mapping[K, Comparison]) -> dict[K, Comparison]:
    """The same comparisons, their verdicts by p-values that are corrected for all of them together."""
    adjusted = holm([one.p for one in comparisons.values()])
    return {key: settled(one, p, len(adjusted)) for (key, one), p in zip(comparisons.items(), adjusted, strict=True)}


def corrected_groups(groups: Mapping[str, Mapping[str, Comparison]]) -> dict[str, dict[str, Comparison]]:
    """The same of groups: each metric of each group is a question, and all are corrected for together."""
    flat = corrected({(group, name): one for group, ones in groups.items() for name, one in ones.items()})
    return {group: {name: flat[group, name] for name in ones} for group, ones in groups.items()}


def settled(one: Comparison, p_adjusted: float, questions: int) -> Comparison:
    """A comparison with its corrected p-value and the verdict by it."""
    gain = one.difference if one.direction == "higher" else -one.difference
    word = verdict(gain, p_adjusted, 1 - one.confidence, one.negligible)
    return one.model_copy(update={"p_adjusted": p_adjusted, "corrected_for": questions, "better": word})
