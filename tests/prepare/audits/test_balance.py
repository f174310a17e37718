"""Balance: figures against their definitions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import DataError
from sevenfold.prepare.audits._tests import differing, entropy, holm, wilson


def rows(counts: dict[str, int]) -> list[dict]:
    return [
        {"prompt": f"{label} {n}", "completion": "x", "label": label, "id": f"{label}-{n}"}
        for label, count in counts.items()
        for n in range(count)
    ]


def test_imbalance_entropy_and_rare_labels(audit):
    found = audit(rows({"a": 160, "b": 32, "c": 8}), {"balance": {"rare": 10}})
    figures = found["figures"]["columns"]
    assert list(figures) == ["label"]
    label = figures["label"]
    assert label["imbalance_ratio"] == 20
    assert label["rare"] == ["c"]
    shares = [0.8, 0.16, 0.04]
    assert label["effective_labels"] == pytest.approx(math.exp(-sum(p * math.log(p) for p in shares)), abs=1e-3)
    assert label["rows_by_label"] == {"a": 160, "b": 32, "c": 8}
    assert "1 values have fewer than 10 rows (c)" in found["advice"][0]


def test_splits_that_differ_are_pointed_at_and_stratified_ones_are_not(audit):
    planted = [{"prompt": f"q {n}", "completion": "x", "label": "ab"[n % 2]} for n in range(400)]
    stratified = {"validation": 0.2, "test": 0.2, "how": {"stratified": "label"}}
    found = audit(planted, "balance", split=stratified)
    assert found["figures"]["columns"]["label"]["splits_differ_p"] > 0.5
    assert not found["advice"]
    # Every group of the test split has one label alone.
    grouped = {"validation": 0, "test": 0.3, "how": {"grouped": "label"}}
    found = audit(planted, "balance", split=grouped)
    assert found["figures"]["columns"]["label"]["splits_differ_p"] < 1e-6
    assert "stratified" in found["advice"][0]


def test_a_column_that_is_not_there_is_an_error(audit):
    with pytest.raises(DataError, match="no row has a column 'labl'") as error:
        audit(rows({"a": 3, "b": 3}), {"balance": ["labl"]})
    assert error.value.suggestion == "label"


def test_wilson_and_chi_square_are_the_known_figures():
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    # Pearson's chi-square of [[10, 20], [20, 10]] is 6.667 with one degree of freedom.
    assert differing([[10, 20], [20, 10]]) == pytest.approx(0.00982, abs=1e-5)
    assert differing([[10, 0], [20, 0]]) is None


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8))
def test_corrected_chances_are_never_lower_and_keep_their_order(chances):
    corrected = holm(chances)
    known = sorted((one, better) for one, better in zip(chances, corrected, strict=True) if one is not None)
    assert all(better >= one for one, better in known)
    assert [better for _, better in known] == sorted(better for _, better in known)
    assert [one is None for one in chances] == [one is None for one in corrected]


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_even_labels_are_as_many_as_they_seem_and_uneven_ones_fewer(counts):
    assert math.exp(entropy(counts)) <= len(counts) * (1 + 1e-9)
    assert math.exp(entropy([7] * len(counts))) == pytest.approx(len(counts))
