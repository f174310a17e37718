"""Vectors: of length 1, each of its text alone, and near where texts are alike."""

from __future__ import annotations

import numpy
import pytest

from sevenfold.vectors import VECTORS, e5

TEXTS = [
    "The market fell again today.",
    "Stocks went down once more.",
    "A cat sleeps on the sofa.",
    "بازار امروز افت کرد.",
]


@pytest.mark.parametrize("name", VECTORS.names())
def test_a_vector_is_of_its_text_alone_and_of_length_one(name):
    vectors = VECTORS.find(name)()
    found = vectors.of([*TEXTS, TEXTS[0]])
    assert found.dtype == numpy.float32
    assert numpy.abs(numpy.linalg.norm(found, axis=1) - 1).max() < 1e-3
    assert numpy.array_equal(found[0], found[-1])
    assert numpy.abs(vectors.of(TEXTS[1:2])[0] - found[1]).max() < 1e-5
    assert vectors.of([]).shape == (0, found.shape[1])


def test_meaning_is_near_across_languages():
    market, stocks, cat, persian = VECTORS.find("e5")().of(TEXTS)
    assert market @ stocks > market @ cat
    assert market @ persian > cat @ persian


def test_what_is_kept_is_bounded_and_changes_nothing(monkeypatch):
    fresh: dict[str, numpy.ndarray] = {}
    monkeypatch.setattr(e5, "known", fresh)
    monkeypatch.setattr(e5, "MOST_KNOWN", 2)
    first = e5.E5().of(TEXTS)
    assert list(fresh) == TEXTS[-2:]
    assert numpy.array_equal(e5.E5().of(TEXTS), first)
