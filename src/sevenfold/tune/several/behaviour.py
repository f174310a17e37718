"""After a merge: does it behave on a parent's prompts as that parent, or as another one?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sevenfold.generate.engine import Answer
from sevenfold.tune.several import traits

LENGTHS = (0.67, 1.5)
"""Ratios of lengths within which a difference is not worth a word."""
SHARE = 0.1
"""The smallest difference of shares that is worth a word."""
LEVEL = 0.05
"""Chance of a warning for two models that behave alike, for one trait."""


@dataclass(frozen=True)
class Finding:
    """One trait on one parent's prompts.

    Args:
        owner: The parent whose prompts these are.
        trait: What was looked at.
        own: The parent's figure: mean tokens of an answer, or the share of answers.
        merged: The merged adapter's.
        chance: How likely so large a difference is where there is none (two-sided, paired).
        differs: Whether it is large and unlikely.
        like: The other parent whose figure on these prompts is nearest the merged one's, where it differs.
        figure: That parent's figure.
    """

    owner: str
    trait: str
    own: float
    merged: float
    chance: float
    differs: bool
    like: str | None = None
    figure: float | None = None

    def warning(self) -> str:
        """The finding as a sentence."""
        said = f"on the prompts of {self.owner}: {self.trait} {self.merged:.3g} instead of {self.own:.3g}"
        if self.like is None or self.figure is None:
            return said
        return f"{said}; {self.like} has {self.figure:.3g}, so it may come from there"


def compare(owner: str, merged: Sequence[Answer], parents: Mapping[str, Sequence[Answer]]) -> list[Finding]:
    """What the merged adapter does otherwise than the owner of the prompts.

    Args:
        owner: Its name among ``parents``.
        merged: The merged adapter's answers to the owner's prompts.
        parents: Each parent's answers to the same prompts.
    """
    everyone = [*merged, *(answer for answers in parents.values() for answer in answers)]
    scripts = sorted({traits.script(answer.text) for answer in everyone})
    marked = {name: traits.marks(answers, scripts) for name, answers in parents.items()}
    found = [length(owner, merged, parents)]
    for trait, values in traits.marks(merged, scripts).items():
        shares = {name: mean(marks[trait]) for name, marks in marked.items()}
        chance = sign_test(values, marked[owner][trait])
        differs = abs(mean(values) - shares[owner]) >= SHARE and chance < LEVEL
        found.append(finding(owner, trait, mean(values), shares, chance, differs))
    return found


def length(owner: str, merged: Sequence[Answer], parents: Mapping[str, Sequence[Answer]]) -> Finding:
    """The lengths of answers, compared by the mean of their logarithms' differences (paired t-test)."""
    logs = {
        name: [math.log(max(1, answer.completion_tokens)) for answer in answers] for name, answers in parents.items()
    }
    own = [math.log(max(1, answer.completion_tokens)) for answer in merged]
    gaps = [one - other for one, other in zip(own, logs[owner], strict=True)]
    ratio, chance = math.exp(mean(gaps)), t_test(gaps)
    differs = not LENGTHS[0] <= ratio <= LENGTHS[1] and chance < LEVEL
    figures = {name: math.exp(mean(values)) for name, values in logs.items()}
    return finding(owner, "tokens of an answer", math.exp(mean(own)), figures, chance, differs)


def finding(
    owner: str, trait: str, merged: float, figures: Mapping[str, float], chance: float, differs: bool
) -> Finding:
    """A finding; where it differs, with the parent that it is nearest to, if that is not the owner."""
    nearest = min(figures, key=lambda name: abs(figures[name] - merged))
    like = nearest if differs and nearest != owner else None
    return Finding(owner, trait, figures[owner], merged, chance, differs, like, figures[like] if like else None)


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)


def t_test(gaps: Sequence[float]) -> float:
    """The chance of a mean so far from zero; 1 where all are zero, 0 where all are one other number."""
    from scipy import stats

    if len(set(gaps)) == 1:
        return 1.0 if gaps[0] == 0 or len(gaps) < 2 else 0.0
    return float(stats.ttest_1samp(gaps, 0.0).pvalue)


def sign_test(one: Sequence[bool], other: Sequence[bool]) -> float:
    """McNemar's exact test: the chance of so uneven a split of the pairs that differ."""
    from scipy import stats

    up = sum(a and not b for a, b in zip(one, other, strict=True))
    down = sum(b and not a for a, b in zip(one, other, strict=True))
    return float(stats.binomtest(up, up + down).pvalue) if up + down else 1.0
