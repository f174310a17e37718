"""Figures of a guard against scikit-learn, and the intervals against a simulation."""

from __future__ import annotations

import numpy
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from sevenfold.errors import DataError
from sevenfold.guard import Flag, Judgement
from sevenfold.guard.measure import measured, share


def judged(scores):
    return [Judgement(score < 0.5, score, (Flag("hate"),) if score >= 0.5 else ()) for score in scores]


def test_against_scikit_learn():
    dice = numpy.random.default_rng(0)
    unsafe = dice.random(300) < 0.4
    scores = numpy.round(numpy.clip(dice.normal(0.4 + 0.2 * unsafe, 0.25), 0, 1), 2)
    found = measured(judged(scores), ["hate" if one else "safe" for one in unsafe])
    said = scores >= 0.5
    assert found["precision"]["value"] == pytest.approx(precision_score(unsafe, said))
    assert found["recall"]["value"] == pytest.approx(recall_score(unsafe, said))
    assert found["f1"]["value"] == pytest.approx(f1_score(unsafe, said))
    assert found["auc"]["value"] == pytest.approx(roc_auc_score(unsafe, scores))
    assert found["accuracy"]["value"] == pytest.approx((unsafe == said).mean())
    for name in ("precision", "recall", "f1", "auc"):
        low, high = found[name]["interval"]
        assert low < found[name]["value"] < high


def test_by_category_and_group():
    labels, groups = ["hate", "sexual", "safe", "safe"], ["en", "fa", "en", "fa"]
    found = measured(judged([0.9, 0.8, 0.7, 0.1]), labels, groups=groups)
    assert found["categories"]["hate"]["named"]["value"] == 1
    assert found["categories"]["sexual"]["named"]["value"] == 0
    assert found["categories"]["sexual"]["recall"]["value"] == 1
    assert found["groups"]["en"]["false_alarms"]["value"] == 1
    assert found["groups"]["fa"]["false_alarms"]["value"] == 0


def test_one_kind_of_rows_has_no_auc():
    found = measured(judged([0.1, 0.9]), ["safe", "safe"])
    assert found["auc"]["value"] is None
    assert found["recall"]["value"] is None
    with pytest.raises(DataError, match="no rows"):
        measured([], [])


def test_the_interval_of_a_share_covers_as_it_says():
    dice = numpy.random.default_rng(1)
    draws = dice.binomial(60, 0.85, 400)
    covered = [found.low <= 0.85 <= found.high for found in (share(int(hits), 60) for hits in draws)]
    assert 0.92 <= numpy.mean(covered) <= 0.98
