from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sevenfold.errors import RecipeError
from sevenfold.prepare.splits import SPLITTERS, Index, Splitter
from sevenfold.prepare.splits._shares import Shares, by_threshold, of_openings, position, quotas
from sevenfold.prepare.splits.covered import Covered
from sevenfold.prepare.splits.grouped import Grouped
from sevenfold.prepare.splits.random import Random
from sevenfold.prepare.splits.stratified import Stratified
from tests.prepare.conftest import section_of

ROWS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abcdef")), min_size=1, max_size=80)
SHARES = st.sampled_from([Shares(0.1, 0.1), Shares(0.3, 0), Shares(5, 0.2), Shares(3, 4), Shares(0, 0.5)])
SPLITS = st.sampled_from([Random(), Stratified(by="label"), Grouped(by="label"), Covered(by="label")])


def index_of(rows: list[tuple[int, str]]) -> Index:
    return Index([opening for opening, _ in rows], [label for _, label in rows])


def sides_of(values: list, sides: list[str]) -> dict:
    found = defaultdict(set)
    for value, side in zip(values, sides, strict=True):
        found[value].add(side)
    return found


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 20), min_size=1), SHARES, st.integers(0, 5), st.booleans())
def test_arrays_give_what_dictionaries_give(openings, shares, seed, crowded):
    with pytest.MonkeyPatch.context() as patch:
        if crowded:  # Many at one place, which true hashes hardly ever are.
            patch.setattr("sevenfold.prepare.splits._shares.position", lambda _, unit: unit % 7 / 7)
        sides = by_threshold(Counter(openings), shares, seed)
        assert list(of_openings(openings, shares, seed)) == [sides[opening] for opening in openings]


@given(ROWS, SHARES, SPLITS, st.integers(0, 5))
def test_what_is_asked_twice_is_on_one_side(rows, shares, splitter, seed):
    index = index_of(rows)
    sides = splitter.sides(index, shares, seed)
    assert all(len(found) == 1 for found in sides_of(index.openings, sides).values())


@given(ROWS, SHARES, st.integers(0, 5))
def test_a_group_is_on_one_side(rows, shares, seed):
    index = index_of(rows)
    sides = Grouped(by="label").sides(index, shares, seed)
    assert all(len(found) == 1 for found in sides_of(index.labels, sides).values())


@given(ROWS, SHARES, SPLITS, st.randoms())
def test_order_does_not_matter(rows, shares, splitter, generator):
    sides = sides_of(rows, splitter.sides(index_of(rows), shares, 1))
    shuffled = list(rows)
    generator.shuffle(shuffled)
    assert sides_of(shuffled, splitter.sides(index_of(shuffled), shares, 1)) == sides


@given(st.sets(st.integers(0, 10**9), min_size=60, max_size=120), st.sets(st.integers(0, 10**9), max_size=60))
def test_rows_that_are_added_move_no_others(before, added):
    first = sorted(before)
    # Below the smallest sizes a side takes its nearest row so as not to be empty; that row may change.
    assume(any(position(1, row) < 0.2 for row in first) and any(1 - position(1, row) < 0.2 for row in first))
    both = sorted(before | added)
    old = dict(zip(first, Random().sides(Index(first, []), Shares(0.2, 0.2), 1), strict=True))
    new = dict(zip(both, Random().sides(Index(both, []), Shares(0.2, 0.2), 1), strict=True))
    assert {row: new[row] for row in first} == old


def test_fractions_are_near_and_counts_exact():
    index = Index(list(range(10_000)), [])
    counts = Counter(Random().sides(index, Shares(0.1, 0.2), 17))
    assert abs(counts["validation"] - 1000) < 100
    assert abs(counts["test"] - 2000) < 150
    counts = Counter(Random().sides(index, Shares(123, 45), 17))
    assert counts == {"validation": 123, "test": 45, "train": 9832}


def test_changing_one_share_leaves_the_other_side_alone():
    index = Index(list(range(1000)), [])
    small, large = Random().sides(index, Shares(0.1, 0.1), 1), Random().sides(index, Shares(0.1, 0.3), 1)
    assert [row for row in range(1000) if small[row] == "validation"] == [
        row for row in range(1000) if large[row] == "validation"
    ]


def test_another_seed_is_another_split():
    index = Index(list(range(100)), [])
    assert Random().sides(index, Shares(0.2, 0.2), 1) != Random().sides(index, Shares(0.2, 0.2), 2)


@pytest.mark.parametrize("rows", [4, 5, 8])
def test_few_rows_still_fill_the_sides_that_are_asked_for(rows):
    for seed in range(50):
        counts = Counter(Random().sides(Index(list(range(rows)), []), Shares(0.1, 0.1), seed))
        assert counts["validation"] >= 1
        assert counts["test"] >= 1


def test_strata_have_the_same_shares():
    labels = ["rare"] * 50 + ["common"] * 950
    sides = Stratified(by="label").sides(Index(list(range(1000)), labels), Shares(0.1, 0.2), 17)
    found = Counter(zip(labels, sides, strict=True))
    assert found["rare", "validation"] == 5
    assert found["rare", "test"] == 10
    assert found["common", "validation"] == 95
    assert found["common", "test"] == 190


def test_a_number_of_rows_is_shared_among_the_strata():
    labels = ["rare"] * 100 + ["common"] * 900
    sides = Stratified(by="label").sides(Index(list(range(1000)), labels), Shares(50, 100), 17)
    found = Counter(zip(labels, sides, strict=True))
    assert (found["rare", "validation"], found["common", "validation"]) == (5, 45)
    assert (found["rare", "test"], found["common", "test"]) == (10, 90)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.data())
def test_a_number_of_rows_is_met_exactly_however_it_falls_on_the_strata(rows, data):
    share = data.draw(st.integers(1, sum(rows)))
    found = quotas(rows, share)
    assert sum(found) == share
    assert all(
        abs(own * share / sum(rows) - count) < 1 and count <= own for own, count in zip(rows, found, strict=True)
    )


def test_groups_that_share_a_question_stay_together():
    index = Index([1, 2, 2, 3, 3, 4], ["a", "a", "b", "b", "c", "d"])
    for seed in range(30):
        sides = Grouped(by="label").sides(index, Shares(0.5, 0), seed)
        assert len(set(sides[:5])) == 1


PARTS = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=3, unique=True).map("|".join)


@given(st.lists(st.tuples(st.integers(0, 40), PARTS), min_size=1, max_size=120), SHARES, st.integers(1, 3))
def test_every_part_of_a_held_out_row_stays_in_training(rows, shares, least):
    sides = Covered(by="parts", least=least).sides(index_of(rows), shares, 1)
    kept = Counter(
        part for (_, parts), side in zip(rows, sides, strict=True) if side == "train" for part in parts.split("|")
    )
    held = {part for (_, parts), side in zip(rows, sides, strict=True) if side != "train" for part in parts.split("|")}
    assert all(kept[part] >= least for part in held)


def test_compositions_are_held_out_in_the_shares_that_are_asked_for():
    pairs = [f"{first}|{second}" for first in "abcdefghij" for second in "klmnopqrst"]
    for shares in (Shares(0.1, 0.2), Shares(10, 20)):
        sides = Covered(by="parts").sides(Index(list(range(100)), pairs), shares, 17)
        assert Counter(sides) == {"train": 70, "validation": 10, "test": 20}


def test_no_row_is_held_out_whose_part_stands_nowhere_else():
    index = Index(list(range(40)), [f"{number}|common" for number in range(40)])
    assert set(Covered(by="parts").sides(index, Shares(0.3, 0.3), 17)) == {"train"}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("random", Random()),
        ({"stratified": "label"}, Stratified(by="label")),
        ({"grouped": "m"}, Grouped(by="m")),
        ({"covered": "parts"}, Covered(by="parts")),
    ],
)
def test_the_recipe_chooses(how, expected):
    section = section_of(source="rows.csv", split={"validation": 0.1, "test": 0.1, "how": how})
    assert section.split.how == expected
    assert isinstance(section.split.how, Splitter)


def test_the_name_of_a_splitter_is_suggested():
    assert SPLITTERS.names() == ["covered", "folds", "grouped", "leave_out", "random", "stratified"]
    with pytest.raises(RecipeError) as caught:
        section_of(source="rows.csv", split={"how": "stratify"})
    assert caught.value.suggestion == "stratified"


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"validation": 0.5, "test": 0.5}, "leave no rows to train on"),
        ({"validation": 1.5}, "a number of rows is whole"),
        ({"validation": -0.1}, "greater than or equal to 0"),
        ({"test": float("inf")}, "finite"),
    ],
)
def test_shares_that_cannot_be_are_refused(split, message):
    with pytest.raises(RecipeError, match=message):
        section_of(source="rows.csv", split=split)


def test_of_equal_remainders_the_first_by_name_gets_the_row():
    rows = [(0, "c"), (4, "a"), (0, "c"), (1, "d"), (2, "a"), (3, "b")]
    for turned in (rows, rows[::-1]):
        sides = Stratified(by="label").sides(index_of(turned), Shares(5, 0.2), 1)
        taken = sides_of([label for _, label in turned], sides)
        assert taken == {label: {"validation"} for label in "abcd"}
