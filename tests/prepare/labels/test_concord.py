"""Agreement so far, by hand."""

from __future__ import annotations

import pytest

from sevenfold.prepare.labels.concord import concord
from sevenfold.prepare.labels.queue import Answer


def of(**by_name: str):
    """Rows from one letter a row and annotator; ``.`` is no answer, ``-`` a row that was passed over."""
    count = len(next(iter(by_name.values())))
    return {
        str(row): {
            name: Answer(str(row), None if letters[row] == "-" else letters[row], name)
            for name, letters in by_name.items()
            if letters[row] != "."
        }
        for row in range(count)
    }


def test_alpha_by_hand() -> None:
    """Two annotators, four rows, one apart: observed 1/4; of 8 values 5 a and 3 b expected 30/56."""
    found = concord(of(ada="aabb", bob="aaba"))
    assert (found.annotators, found.rows, found.same) == ({"ada": 4, "bob": 4}, 4, 0.75)
    assert found.alpha == pytest.approx(1 - (1 / 4) / (2 * 5 * 3 / (8 * 7)))


def test_only_rows_that_several_answered_count() -> None:
    found = concord(of(ada="ab-a", bob="..ab", eve="a..b"))
    assert (found.annotators, found.rows) == ({"ada": 3, "bob": 2, "eve": 2}, 2)
    assert found.same == pytest.approx(2 / 4)


def test_where_it_is_not_known_it_says_so() -> None:
    assert "not known" in concord(of(ada="ab", bob="..")).line()
    alike = concord(of(ada="aa", bob="aa"))
    assert (alike.same, alike.alpha) == (1.0, None)
    assert "not defined" in alike.line()


def test_sets_of_labels_are_one_whatever_their_order() -> None:
    held = {"r": {"ada": Answer("r", ["a", "b"], "ada"), "bob": Answer("r", ["b", "a"], "bob")}}
    assert concord(held).same == 1.0
