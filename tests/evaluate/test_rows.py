"""Two models' figures stand in the same columns, so that a row of one may stand for a row of the other."""

from __future__ import annotations

import numpy as np
import pytest

from sevenfold.evaluate.metrics import METRICS, AnswersMetric, ProbabilitiesMetric
from sevenfold.evaluate.metrics.exact_match import ExactMatch
from sevenfold.evaluate.paired import Pairs, swap_test
from sevenfold.evaluate.rows import figures_of, tables_of

LABELS = ("1", "2", "3")  # Numbers too, so that every metric can read them.
TOGETHER = [name for name in METRICS.names() if issubclass(METRICS.find(name), AnswersMetric | ProbabilitiesMetric)]


def answers(seed: int, sure: bool, rows: int = 24) -> list[dict]:
    """Labels and what is said of their chances; who is sure says a label alone, or something else."""
    rng = np.random.default_rng(seed)
    if sure:
        return [{"text": str(one)} for one in rng.choice([*LABELS, "none of them"], rows)]
    chances = rng.dirichlet([1, 1, 1], rows)
    return [
        {"text": LABELS[int(row.argmax())], "labels": dict(zip(LABELS, row.tolist(), strict=True))} for row in chances
    ]


def references(rows: int = 24) -> list[str]:
    return [LABELS[number % 3] for number in range(rows)]


@pytest.mark.parametrize("name", TOGETHER)
def test_swapped_figures_are_the_figures_of_swapped_answers(name) -> None:
    metric = METRICS.find(name)()
    base, tuned = answers(1, sure=True), answers(2, sure=False)
    tables = tables_of(metric, base, tuned, references())
    assert tables is not None
    swapped = np.random.default_rng(3).random(24) < 0.5
    mixed = [after if swap else before for before, after, swap in zip(base, tuned, swapped, strict=True)]
    there = metric.finish(np.where(swapped[:, None], tables[1], tables[0]).mean(0))
    assert float(there) == pytest.approx(float(metric.finish(figures_of(metric, mixed, references()).mean(0))))


@pytest.mark.parametrize("name", [name for name in TOGETHER if name not in ("bleu", "entity_f1")])
def test_a_model_that_says_chances_is_told_from_one_that_says_labels(name) -> None:
    metric = METRICS.find(name)()
    base, tuned = answers(1, sure=True), [{"text": one, "labels": {one: 1.0}} for one in references()]
    # Single words have no four in a row, and no entity is in them, so of BLEU and entities there is nothing to tell.
    tables = tables_of(metric, base, tuned, references())
    assert tables is not None
    pairs = Pairs(metric, tables[0][:, 0], tables[1][:, 0], np.ones(24), tables)
    assert swap_test(pairs, seed=1, resamples=999) < 0.01


def test_a_mean_needs_no_figures() -> None:
    assert tables_of(ExactMatch(), answers(1, sure=True), answers(2, sure=True), references()) is None
