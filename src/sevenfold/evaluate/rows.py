"""Every row's values, for the comparison and for the file that each figure can be traced in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sevenfold.evaluate.held_out import Question
from sevenfold.evaluate.measure import Measured
from sevenfold.evaluate.metrics import (
    AnswerMetric,
    AnswersMetric,
    LikelihoodMetric,
    Metric,
    PairMetric,
    ProbabilitiesMetric,
    RankMetric,
    RowMetric,
)
from sevenfold.evaluate.metrics._said import one_label
from sevenfold.evaluate.paired import Pairs

if TYPE_CHECKING:
    from sevenfold.evaluate.metrics import Floats

    Answers = Sequence[Mapping[str, Any]]


def values_of(metric: Metric, measured: Measured, questions: list[Question]) -> list[float]:
    """One model's value of each question."""
    if isinstance(metric, AnswersMetric | ProbabilitiesMetric):
        table = figures_of(metric, measured.answers, [question.reference for question in questions])
        return [float(value) for value in table[:, 0]]
    if isinstance(metric, LikelihoodMetric):
        return [metric.value(likelihood) for likelihood in measured.likelihoods(metric.of)]
    if isinstance(metric, PairMetric):
        return [metric.value(*both) for both in zip(measured.references, measured.rejected, strict=True)]
    if isinstance(metric, RankMetric):
        return [metric.value(rank) for rank in measured.ranks]
    if isinstance(metric, RowMetric):
        return metric.values([answer["text"] for answer in measured.answers], questions)
    assert isinstance(metric, AnswerMetric)
    return [
        metric.value(answer["text"], question.reference)
        for answer, question in zip(measured.answers, questions, strict=True)
    ]


def figures_of(metric: AnswersMetric | ProbabilitiesMetric, answers: Answers, references: Sequence[str]) -> Floats:
    """The figures of some answers as they are kept: ``text``, and ``labels`` where probabilities were said."""
    if isinstance(metric, AnswersMetric):
        return metric.table([answer["text"] for answer in answers], references)
    known = {reference.strip() for reference in references}
    named = ({one_label(answer["text"], known) or "": 1.0} for answer in answers)
    return metric.table([answer.get("labels") or name for answer, name in zip(answers, named, strict=True)], references)


def tables_of(metric: Metric, base: Answers, tuned: Answers, references: Sequence[str]) -> tuple[Floats, Floats] | None:
    """The figures of two models' answers to the same questions; None of a metric that is a mean of the rows' values.

    They are made in one go: what a column stands for may hang on all that was said, a threshold of probability for
    one, and only like columns can change places between the models.
    """
    if not isinstance(metric, AnswersMetric | ProbabilitiesMetric):
        return None
    found = figures_of(metric, [*base, *tuned], [*references, *references])
    return found[: len(base)], found[len(base) :]


def pairs_of(metric: Metric, questions: list[Question], base: Measured, tuned: Measured) -> Pairs:
    """Both models' values, weighted as the metric weighs rows."""
    weights = [1] * len(questions)
    if isinstance(metric, LikelihoodMetric) and metric.of != "answer":
        weights = [one.tokens for one in base.likelihoods(metric.of)]
    return Pairs(
        metric,
        np.array(values_of(metric, base, questions)),
        np.array(values_of(metric, tuned, questions)),
        np.array(weights, dtype=np.float64),
        tables_of(metric, base.answers, tuned.answers, [question.reference for question in questions]),
    )


def row_objects(
    questions: list[Question], base: Measured, tuned: Measured, pairs: dict[str, Pairs]
) -> Iterator[dict[str, Any]]:
    """A line of ``rows.jsonl`` for each question.

    ``base`` and ``tuned`` hold the answer (``text``, ``finish_reason``, ``tokens``; absent where no metric needs one)
    and ``values``, by metric, before the metric's ``finish``; ``weights`` is each metric's weight of the row. ``task``
    and ``group`` are there where rows have them.
    """
    for index, question in enumerate(questions):
        yield {
            "row": question.number,
            "origin": question.origin,
            **({"task": question.task} if question.task is not None else {}),
            **({"group": question.group} if question.group is not None else {}),
            "prompt": [message.as_dict() for message in question.prompt],
            "reference": question.reference,
            "weights": {name: float(pair.weights_N[index]) for name, pair in pairs.items()},
            "base": {
                **(base.answers[index] if base.answers else {}),
                "values": {name: float(pair.base_N[index]) for name, pair in pairs.items()},
            },
            "tuned": {
                **(tuned.answers[index] if tuned.answers else {}),
                "values": {name: float(pair.tuned_N[index]) for name, pair in pairs.items()},
            },
        }
