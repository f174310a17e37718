"""Metrics that survive imbalance, beside scikit-learn's on the same answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as theirs

from sevenfold.errors import DataError
from sevenfold.evaluate.metrics.balanced_accuracy import BalancedAccuracy
from sevenfold.evaluate.metrics.kappa import Kappa
from sevenfold.evaluate.metrics.macro_f1 import MacroF1
from sevenfold.evaluate.metrics.mcc import Mcc
from sevenfold.evaluate.metrics.pr_auc import PrAuc
from sevenfold.evaluate.rows import figures_of

LABELS = ("common", "rare", "some")


def figure(metric, first, references):
    return float(metric.finish(metric.table(first, references).mean(0)))


def drawn(seed: int, rows: int = 200) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    true = rng.choice(LABELS, rows, p=[0.8, 0.05, 0.15])
    said = np.where(rng.random(rows) < 0.7, true, rng.choice([*LABELS, "neither"], rows))
    return said.tolist(), true.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_they_are_those_of_scikit_learn(seed) -> None:
    said, true = drawn(seed)
    assert figure(Kappa(), said, true) == pytest.approx(theirs.cohen_kappa_score(true, said))
    assert figure(Mcc(), said, true) == pytest.approx(theirs.matthews_corrcoef(true, said))
    recalls = theirs.recall_score(true, said, labels=LABELS, average="macro")
    assert figure(BalancedAccuracy(), said, true) == pytest.approx(recalls)
    assert figure(MacroF1(), said, true) == pytest.approx(theirs.f1_score(true, said, labels=LABELS, average="macro"))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [1, 6])
def test_average_precision_is_that_of_scikit_learn(seed, digits) -> None:
    """Also where many rows have the same probability."""
    rng = np.random.default_rng(seed)
    true = rng.choice(LABELS, 300, p=[0.8, 0.05, 0.15])
    scores = np.round(rng.random((300, 3)) + 0.4 * (true[:, None] == np.array(LABELS)), digits)
    probs = [dict(zip(LABELS, row, strict=True)) for row in scores.tolist()]
    areas = {one: theirs.average_precision_score(true == one, scores[:, k]) for k, one in enumerate(LABELS)}
    assert figure(PrAuc(), probs, true.tolist()) == pytest.approx(np.mean(list(areas.values())))
    assert figure(PrAuc(labels=("rare",)), probs, true.tolist()) == pytest.approx(areas["rare"])


def test_many_thresholds_are_near_to_all_of_them() -> None:
    rng = np.random.default_rng(0)
    true = rng.choice(LABELS, 6000, p=[0.8, 0.05, 0.15])
    scores = rng.random(6000) + 0.3 * (true == "rare")
    probs = [{"rare": one} for one in scores.tolist()]
    table = PrAuc(labels=("rare",)).table(probs, true.tolist())
    assert table.shape == (6000, 2 + 2 * 4000)
    whole = theirs.average_precision_score(true == "rare", scores)
    assert float(PrAuc().finish(table.mean(0))) == pytest.approx(whole, abs=1e-3)


def test_who_always_says_the_commonest_label_shows() -> None:
    _, true = drawn(0)
    said = ["common"] * len(true)
    assert figure(Kappa(), said, true) == 0
    assert figure(Mcc(), said, true) == 0
    assert figure(BalancedAccuracy(), said, true) == pytest.approx(1 / 3)
    assert figure(Kappa(), ["one"] * 3, ["one"] * 3) == 0
    for metric in (Kappa(), Mcc(), BalancedAccuracy()):
        assert figure(metric, true, true) == pytest.approx(1)


def test_figures_of_draws_are_those_of_the_drawn_rows() -> None:
    """What the bootstrap does: how often each row was drawn, times the table."""
    said, true = drawn(3)
    counts = np.random.default_rng(1).multinomial(200, [1 / 200] * 200)
    rows = np.repeat(np.arange(200), counts)
    for metric in (Kappa(), Mcc(), BalancedAccuracy()):
        found = float(metric.finish(counts @ metric.table(said, true) / 200))
        assert found == pytest.approx(figure(metric, [said[n] for n in rows], [true[n] for n in rows]))


def test_an_answer_without_probabilities_is_sure() -> None:
    answers = [{"text": "It is rare."}, {"text": "common", "labels": {"rare": 0.4, "common": 0.6}}, {"text": "?"}]
    found = figures_of(PrAuc(labels=("rare",)), answers, ["rare", "common", "rare"])
    assert found[:, 0].tolist() == [1.0, 0.6, 0.0]
    # Both rare rows: one at 1.0, one at 0, the common one at 0.4 between them.
    assert float(PrAuc().finish(found.mean(0))) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_labels_that_there_are_not_are_an_error() -> None:
    with pytest.raises(DataError, match="no held-out row has one of the labels rear"):
        PrAuc(labels=("rear",)).table([{"rare": 1.0}], ["rare"])
