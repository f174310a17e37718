"""Metrics of labels, numbers, entities and spans on values worked by hand."""

import math

import numpy as np
import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.labels import area, spread
from sevenfold.evaluate.metrics.accuracy import Accuracy
from sevenfold.evaluate.metrics.cost import Cost
from sevenfold.evaluate.metrics.entity_f1 import EntityF1
from sevenfold.evaluate.metrics.macro_f1 import MacroF1
from sevenfold.evaluate.metrics.mae import Mae
from sevenfold.evaluate.metrics.r2 import R2
from sevenfold.evaluate.metrics.rmse import Rmse
from sevenfold.evaluate.metrics.span_exact import SpanExact
from sevenfold.evaluate.metrics.span_f1 import SpanF1
from sevenfold.evaluate.paired import Pairs, compare, resampled


def figure(metric, answers, references):
    return float(metric.finish(metric.table(answers, references).mean(0)))


def test_an_answer_in_sentences_is_read_kindly() -> None:
    references = ["red", "dark red", "blue", "red"]
    answers = ["It is Red, not blue.", "Dark  red", "I cannot say", "hundred"]
    assert Accuracy().table(answers, references)[:, 0].tolist() == [1, 1, 0, 0]


def test_macro_f1_by_hand() -> None:
    # red: 1 right, 2 said, 2 true: 1/2; blue: 1 right, 1 said, 2 true: 2/3; green: nothing right: 0.
    references, answers = ["red", "red", "blue", "blue", "green"], ["red", "?", "blue", "red", "?"]
    assert figure(MacroF1(), answers, references) == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)


def test_several_labels_are_compared_one_by_one() -> None:
    references, answers = ["a, b", "b", "none"], ["b, a", "a, b", "neither"]
    assert Accuracy(separator=", ").table(answers, references)[:, 0].tolist() == [1, 0, 1]
    # a: 1 right, 2 said, 1 true; b: 2, 2, 2.
    assert figure(MacroF1(separator=", "), answers, references) == pytest.approx((2 / 3 + 1) / 2)


def test_numbers_by_hand() -> None:
    references, answers = ["1", "2", "6"], ["about 1,000.5e-3 of it", "4", "I do not know"]
    # The last one counts as the mean of the references, 3; errors 0.0005, 2 and -3.
    assert figure(Mae(), answers, references) == pytest.approx((0.0005 + 2 + 3) / 3)
    assert figure(Rmse(), answers, references) == pytest.approx(math.sqrt((0.0005**2 + 4 + 9) / 3))
    assert figure(R2(), answers, references) == pytest.approx(1 - (0.0005**2 + 13) / (4 + 1 + 9))
    with pytest.raises(DataError, match="no number"):
        Mae().table(["1"], ["one"])


def test_entities_by_hand() -> None:
    references = ["DATE: 3 May\nPLACE: Rome", "none"]
    answers = ["DATE: 3  May\nPLACE: Paris\nsure!", "none"]
    table = EntityF1().table(answers, references)
    assert table.tolist() == [[0.5, 1, 2, 2], [1, 0, 0, 0]]
    assert figure(EntityF1(), answers, references) == pytest.approx(0.5)


def test_costs_by_hand() -> None:
    metric = Cost(costs={"ill": {"well": 10.0}})
    assert metric.table(["well", "ill", "?", "well"], ["ill", "well", "ill", "well"])[:, 0].tolist() == [10, 1, 10, 0]


def test_spans_are_compared_as_squad_does() -> None:
    assert SpanExact().value("The Normans.", "normans") == 1.0
    assert SpanF1().value("in the 10th century", "10th century AD") == pytest.approx(2 * 2 / (3 + 3))


def test_a_metric_of_all_rows_is_resampled_as_a_whole() -> None:
    draw = np.random.default_rng(0)
    true = [str(one) for one in draw.integers(0, 3, 30)]
    said = [[t if draw.random() < share else "0" for t in true] for share in (0.3, 0.7)]
    metric = MacroF1()
    tables = tuple(metric.table(one, true) for one in said)
    pairs = Pairs(metric, tables[0][:, 0], tables[1][:, 0], np.ones(30), tables)
    rng = np.random.default_rng(5)
    plain = []
    for _ in range(50):
        rows = rng.integers(0, 30, 30)
        sides = [float(metric.finish(table[rows].mean(0))) for table in tables]
        plain.append(sides[1] - sides[0])
    assert resampled(pairs, 5, 50) == pytest.approx(plain)
    found = compare("macro_f1", pairs, 5, 1000)
    assert found.interval[0] < found.difference < found.interval[1]
    assert found.difference == pytest.approx(figure(metric, said[1], true) - figure(metric, said[0], true))


def test_what_labels_were_said_and_how_sure() -> None:
    probs = [{"a": 0.9, "b": 0.1}, {"a": 0.8, "b": 0.2}, {"a": 0.3, "b": 0.7}, {"a": 0.55, "b": 0.45}]
    answers = [{"text": max(one, key=one.get), "labels": one} for one in probs]
    found = spread(answers, ["a", "a", "b", "b"])
    assert found.counts == [[2, 0, 0], [1, 1, 0]]
    assert found.commonest == 0.5
    assert found.auc == 1.0
    # Bins of one row each: 0.1, 0.2 and 0.3 away from right, 0.55 from wrong.
    assert found.calibration_error == pytest.approx((0.1 + 0.2 + 0.3 + 0.55) / 4)
    assert area(np.array([1.0, 1.0, 0.0]), np.array([True, False, False])) == 0.75
