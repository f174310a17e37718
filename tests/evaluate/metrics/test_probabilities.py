"""Metrics of probabilities and of single labels, beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import calibration
from sklearn import metrics as theirs

from sevenfold.errors import DataError
from sevenfold.evaluate.labels import spread
from sevenfold.evaluate.metrics.accuracy import Accuracy
from sevenfold.evaluate.metrics.brier import Brier
from sevenfold.evaluate.metrics.data_error_potential import DataErrorPotential
from sevenfold.evaluate.metrics.ece import Ece
from sevenfold.evaluate.metrics.macro_precision import MacroPrecision
from sevenfold.evaluate.metrics.macro_recall import MacroRecall
from sevenfold.evaluate.metrics.specificity import Specificity
from sevenfold.evaluate.rows import figures_of
from tests.evaluate.metrics.test_rare import LABELS, drawn, figure


def chances(seed: int, rows: int = 300):
    """Probabilities that lean to the true label, and the true labels."""
    rng = np.random.default_rng(seed)
    true = rng.choice(LABELS, rows, p=[0.6, 0.1, 0.3])
    raw = rng.gamma(0.7, size=(rows, 3)) + 0.8 * (true[:, None] == np.array(LABELS))
    shares = raw / raw.sum(1, keepdims=True)
    return [dict(zip(LABELS, row, strict=True)) for row in shares.tolist()], true.tolist(), shares


@pytest.mark.parametrize("seed", range(5))
def test_precision_recall_and_accuracy_are_those_of_scikit_learn(seed) -> None:
    said, true = drawn(seed)
    options = {"labels": LABELS, "zero_division": 0}
    assert figure(Accuracy(), said, true) == pytest.approx(theirs.accuracy_score(true, said))
    precision = theirs.precision_score(true, said, average="macro", **options)
    assert figure(MacroPrecision(), said, true) == pytest.approx(precision)
    recall = theirs.recall_score(true, said, average="macro", **options)
    assert figure(MacroRecall(), said, true) == pytest.approx(recall)
    rare = theirs.precision_score(true, said, labels=["rare"], average=None)[0]
    assert figure(MacroPrecision(labels=("rare",)), said, true) == pytest.approx(rare)
    missed = theirs.recall_score(true, said, labels=["rare"], average=None)[0]
    assert figure(MacroRecall(labels=("rare",)), said, true) == pytest.approx(missed)


@pytest.mark.parametrize("seed", range(5))
def test_specificity_is_the_recall_of_not_having_a_label(seed) -> None:
    said, true = drawn(seed)
    each = [
        theirs.recall_score([one != label for one in true], [one != label for one in said], pos_label=True)
        for label in LABELS
    ]
    assert figure(Specificity(), said, true) == pytest.approx(np.mean(each))
    assert figure(Specificity(labels=("rare",)), said, true) == pytest.approx(each[1])


@pytest.mark.parametrize("kind", [MacroPrecision, MacroRecall, Specificity])
def test_what_there_is_not_is_an_error_or_nothing(kind) -> None:
    with pytest.raises(DataError, match="no held-out row has one of the labels rear"):
        kind(labels=("rear",)).table(["rare"], ["rare"])
    assert figure(kind(), ["neither"], ["rare"]) == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_brier_score_is_that_of_scikit_learn(seed) -> None:
    probs, true, shares = chances(seed)
    order = np.argsort(LABELS)
    wanted = theirs.brier_score_loss(true, shares[:, order], labels=sorted(LABELS), scale_by_half=False)
    assert figure(Brier(), probs, true) == pytest.approx(wanted)


def test_the_brier_score_at_its_ends() -> None:
    answers = [{"text": "rare"}, {"text": "common"}, {"text": "?"}]
    assert figures_of(Brier(), answers, ["rare", "rare", "common"])[:, 0].tolist() == [0, 2, 2]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bins", [5, 10, 15])
def test_the_calibration_error_is_what_scikit_learns_curve_gives(seed, bins) -> None:
    probs, true, shares = chances(seed)
    sure, right = shares.max(1), np.array(LABELS)[shares.argmax(1)] == np.array(true)
    share_right, said = calibration.calibration_curve(right, sure, n_bins=bins)
    counts = np.histogram(sure, np.linspace(0, 1, bins + 1))[0]
    wanted = (np.abs(share_right - said) * counts[counts > 0]).sum() / len(true)
    assert figure(Ece(bins=bins), probs, true) == pytest.approx(wanted)


def test_the_calibration_error_is_that_of_the_report() -> None:
    probs, true, _ = chances(1)
    answers = [{"text": max(one, key=one.__getitem__), "labels": one} for one in probs]
    assert figure(Ece(), probs, true) == pytest.approx(spread(answers, true).calibration_error)


def test_who_is_right_as_often_as_said_has_no_calibration_error() -> None:
    assert figure(Ece(), [{"a": 0.75, "b": 0.25}] * 4, ["a", "a", "a", "b"]) == pytest.approx(0)
    assert figure(Ece(), [{"a": 1.0}] * 4, ["a", "a", "a", "b"]) == pytest.approx(0.25)


def test_a_wrong_label_has_the_highest_potential() -> None:
    """Planted: five labels of a hundred are turned, and stand at the top."""
    rng = np.random.default_rng(0)
    true = rng.choice(["a", "b"], 100)
    probs = [{"a": p, "b": 1 - p} for p in np.where(true == "a", 0.9, 0.1) + rng.uniform(-0.08, 0.08, 100)]
    turned = set(range(0, 100, 20))
    labels = [{"a": "b", "b": "a"}[one] if row in turned else one for row, one in enumerate(true.tolist())]
    values = DataErrorPotential().table(probs, labels)[:, 0]
    assert set(np.argsort(-values)[:5].tolist()) == turned
    assert (values > 0.5).sum() == 5
    by_hand = DataErrorPotential().table([{"a": 0.5, "b": 0.3, "c": 0.2}], ["b"])
    assert by_hand.tolist() == [[pytest.approx((1 - (0.3 - 0.5)) / 2)]]
