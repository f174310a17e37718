"""Folds and leave-one-out: over all runs every row is the test exactly once."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.splits import Index
from sevenfold.prepare.splits._shares import Shares
from sevenfold.prepare.splits.folds import Folds
from sevenfold.prepare.splits.leave_out import LeaveOut
from sevenfold.prepare.splits.random import Random
from tests.prepare.conftest import section_of
from tests.prepare.splits.test_splits import ROWS, index_of, sides_of

SOME = Shares(0.2, 0.1)


@given(ROWS, st.integers(2, 6), st.sampled_from([None, "label"]), st.integers(0, 3))
def test_every_row_is_the_test_of_one_fold_and_openings_are_not_parted(rows, count, by, seed):
    index = index_of(rows)
    tested = Counter()
    for held_out in range(1, count + 1):
        sides = Folds(count=count, held_out=held_out, by=by).sides(index, SOME, seed)
        assert all(len(found) == 1 for found in sides_of(index.openings, sides).values())
        tested.update(row for row, side in enumerate(sides) if side == "test")
    assert tested == Counter(range(len(rows)))


@given(ROWS, st.integers(2, 6), st.randoms())
def test_folds_differ_by_no_more_than_the_largest_question_whatever_the_order(rows, count, dice):
    index = index_of(rows)
    folds = Folds(count=count).folds(index, 17)
    sizes = Counter(folds[opening] for opening in index.openings)
    rows_in = [sizes[fold] for fold in range(1, count + 1)]
    assert max(rows_in) - min(rows_in) <= max(Counter(index.openings).values())
    shuffled = list(rows)
    dice.shuffle(shuffled)
    assert Folds(count=count, by="label").folds(index_of(shuffled), 17) == Folds(count=count, by="label").folds(
        index, 17
    )


def test_strata_have_the_same_shares_in_each_fold():
    labels = ["rare"] * 10 + ["often"] * 93
    index = Index(list(range(103)), labels)
    folds = Folds(count=5, by="label").folds(index, 17)
    found = Counter((folds[row], label) for row, label in enumerate(labels))
    assert [found[fold, "rare"] for fold in range(1, 6)] == [2] * 5
    assert sorted(found[fold, "often"] for fold in range(1, 6)) == [18, 18, 19, 19, 19]


@given(ROWS, st.sampled_from([None, "label"]), st.integers(0, 3))
def test_every_group_is_left_out_once(rows, group, seed):
    index = index_of(rows)
    tested: Counter[int] = Counter()
    number = 0
    while tested.total() < len(rows):
        number += 1
        sides = LeaveOut(group=group, held_out=number).sides(index, SOME, seed)
        assert all(len(found) == 1 for found in sides_of(index.openings, sides).values())
        tested.update(row for row, side in enumerate(sides) if side == "test")
    assert tested == Counter(range(len(rows)))
    with pytest.raises(DataError, match=f"held_out is {number + 1}, and there are {number}"):
        LeaveOut(group=group, held_out=number + 1).sides(index, SOME, seed)


def test_a_group_is_left_out_by_its_name():
    index = Index([1, 2, 3, 4], ["a", "b", "b", "c"])
    assert LeaveOut(group="label", held_out="b").sides(index, Shares(0, 0), 1) == ["train", "test", "test", "train"]
    with pytest.raises(DataError, match="no row has 'd'"):
        LeaveOut(group="label", held_out="d").sides(index, Shares(0, 0), 1)


def test_through_a_recipe_every_row_is_held_out_once(run, write_rows):
    rows = [{"prompt": f"What is {n // 2}?", "completion": f"It is {n}.", "kind": "ab"[n % 2]} for n in range(60)]
    path = write_rows(rows)
    seen = defaultdict(int)
    for fold in (1, 2, 3):
        split = {"validation": 0.2, "how": {"folds": {"count": 3, "held_out": fold, "by": "kind"}}}
        done = run(source=path, split=split, folder=f"fold-{fold}", clean=[])
        assert done.report["splits"]["test"] == 20
        assert 0 < done.report["splits"]["validation"] < 20
        for row in done.rows("test"):
            seen[row.origin] += 1
    assert set(seen.values()) == {1}
    assert len(seen) == 60
    done = run(source=path, split={"validation": 0, "how": {"leave_out": {"held_out": 7}}}, folder="one", clean=[])
    assert done.report["splits"] == {"train": 58, "validation": 0, "test": 2}


def test_a_fold_that_is_not_there_is_refused():
    with pytest.raises(RecipeError, match="held_out 6 is none of 5 folds"):
        section_of(source="rows.jsonl", split={"how": {"folds": {"count": 5, "held_out": 6}}})


def test_fewer_questions_than_folds_are_refused_in_numbers(run, write_rows):
    rows = [{"prompt": "What?", "completion": str(n)} for n in range(9)]
    with pytest.raises(DataError, match="1 different questions"):
        run(source=write_rows(rows), split={"validation": 0, "how": {"folds": {"held_out": 2}}})


def test_the_number_of_rounds_that_test_every_row_once():
    index = Index([1, 1, 2, 3], ["a", "a", "b", "a"])
    assert Folds(count=4).rounds(index) == 4
    assert LeaveOut().rounds(index) == 3
    assert LeaveOut(group="author").rounds(index) == 2
    # Groups that share a question are one.
    assert LeaveOut(group="author").rounds(Index([1, 1, 2], ["a", "b", "c"])) == 2
    assert Random().rounds(index) is None
