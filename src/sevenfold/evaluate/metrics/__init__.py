"""Metrics: one file each; the file's name is the metric's name in the recipe.

A metric gives every row a value and a weight. Its figure for a model is ``finish`` of the weighted mean of the rows'
values, and that is all the paired comparison has to know: it resamples rows and computes the same figure again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from sevenfold.registry import Registry
from sevenfold.schema import Component

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sevenfold.evaluate.held_out import Question

    Floats = NDArray[np.float64]

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What a model thinks of one reference.

    Args:
        nll: The negative log-likelihood of the reference's tokens, its end of turn included, summed, nats.
        tokens: How many tokens that is.
    """

    nll: float
    tokens: int


class Metric(Component):
    """A figure that says how good a model is on held-out rows.

    ``better`` says whether a higher or a lower figure is better, ``unit`` what it is counted in, ``low`` and ``high``
    bound it. ``binary`` metrics call a row right (1) or wrong (0), so the exact test decides beside the interval.
    """

    better: ClassVar[Better]
    unit: ClassVar[str] = ""
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = float("inf")
    binary: ClassVar[bool] = False

    def finish(self, mean: Floats) -> Floats:
        """The metric's figure from the weighted mean of the rows' values, element by element."""
        return mean


class AnswerMetric(Metric):
    """A metric of a generated answer against the reference; every row weighs the same."""

    def value(self, answer: str, reference: str) -> float:
        """One row's value."""
        raise NotImplementedError


class RowMetric(Metric):
    """A metric of a generated answer that looks at more than the reference: what was asked, the row's other columns.

    Every row weighs the same.
    """

    def values(self, answers: Sequence[str], questions: Sequence[Question]) -> list[float]:
        """Each row's value; all at once, so that who is asked for them can be asked in batches.

        Raises:
            DataError: A row has not the column that is looked at.
        """
        raise NotImplementedError


class AnswersMetric(Metric):
    """A metric of all answers together, such as an F1: it is more than a mean of the rows' values.

    Every row brings some figures; ``finish`` makes the metric's figure of their means.
    """

    def table(self, answers: Sequence[str], references: Sequence[str]) -> Floats:
        """Each row's figures, ``N x M``; the first is the row's own value, larger where ``better`` is higher."""
        raise NotImplementedError

    def finish(self, mean: Floats) -> Floats:
        """The metric's figure from the mean of the rows' figures, ``... x M``."""
        raise NotImplementedError


class ProbabilitiesMetric(Metric):
    """A metric of the probabilities that were said of labels, more than a mean as an :class:`AnswersMetric` is.

    An answer without probabilities says the label that it names with probability 1.
    """

    def table(self, probs: Sequence[Mapping[str, float]], references: Sequence[str]) -> Floats:
        """Each row's figures, ``N x M``; the first is the row's own value, larger where ``better`` is higher."""
        raise NotImplementedError

    def finish(self, mean: Floats) -> Floats:
        """The metric's figure from the mean of the rows' figures, ``... x M``."""
        raise NotImplementedError


class LikelihoodMetric(Metric):
    """A metric of the likelihood of the references; a row weighs as many tokens as its reference has.

    A row's value is its mean negative log-likelihood per token, in nats. ``of`` says of which tokens: the
    ``reference``'s, the ``prompt``'s, or those of the model's own ``answer``. Two models' own answers have different
    lengths, so there every row weighs the same.
    """

    of: ClassVar[Literal["reference", "prompt", "answer"]] = "reference"

    def value(self, likelihood: Likelihood) -> float:
        """One row's value: nats per token."""
        return likelihood.nll / likelihood.tokens


class PairMetric(Metric):
    """A metric of the likelihoods of a row's preferred answer and of its rejected one; every row weighs the same.

    A reward model's likelihood is its reward: ``nll`` is the reward with its sign turned, of one token.
    """

    def value(self, chosen: Likelihood, rejected: Likelihood) -> float:
        """One row's value."""
        raise NotImplementedError


class RankMetric(Metric):
    """A metric of the place, from 1, at which a row's own text is found among all held-out ones."""

    def value(self, rank: float) -> float:
        """One row's value."""
        raise NotImplementedError


METRICS = Registry(__name__, Metric)
DEFAULTS = ("loss", "perplexity", "chrf", "rouge_l", "exact_match")
"""The metrics of a recipe that names none."""


def default_metrics() -> list[Metric]:
    """The metrics of :data:`DEFAULTS` with their default settings."""
    return [METRICS.find(name)() for name in DEFAULTS]


def metric_name(metric: Metric) -> str:
    """The metric's name in figures: its file's name."""
    return METRICS.name_of(metric)
