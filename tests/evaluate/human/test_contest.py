"""What people are asked."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.human.contest import read_contest
from tests.evaluate.human.made import contest_of, plain_rows, row, write_run


def test_equal_answers_are_not_asked_but_counted(tmp_path) -> None:
    rows = [*plain_rows(3), row(7, "the same", " the same\n"), row(8, "", "")]
    contest = contest_of(tmp_path, rows)
    assert (contest.rows, len(contest.duels), contest.equal) == (5, 3, {("base", "tuned"): 2})
    assert all(set(duel.meetings) == {("base", "tuned")} for duel in contest.duels)


def test_the_order_is_the_seeds_and_a_longer_contest_begins_with_the_shorter(tmp_path) -> None:
    one = contest_of(tmp_path / "a", plain_rows(30))
    other = contest_of(tmp_path / "b", plain_rows(30))
    third = contest_of(tmp_path / "c", plain_rows(30), seed=3)
    assert [duel.origin for duel in one.duels] == [duel.origin for duel in other.duels]
    assert [duel.origin for duel in one.duels] != [duel.origin for duel in third.duels]
    assert one.first(5).duels == one.duels[:5]
    assert [duel.row for duel in one.duels] != sorted(duel.row for duel in one.duels)


def test_other_answers_are_another_duel(tmp_path) -> None:
    before = contest_of(tmp_path / "a", plain_rows(4))
    after = contest_of(tmp_path / "b", [*plain_rows(3), row(3, "plain answer 3", "a new one")])
    assert len(set(before.places) & set(after.places)) == 3


def test_several_runs_meet_on_the_rows_that_all_have(tmp_path) -> None:
    first = [row(0, "b", "x"), row(1, "b", "x"), row(2, "b", "x"), row(9, "b", "x")]
    second = [row(0, "b", "y"), row(1, "b", "x"), row(2, "other base", "b")]
    files = {name: write_run(tmp_path / name, rows) for name, rows in (("ada", first), ("bob", second))}
    contest = read_contest(files, 17)
    assert contest.models == ("base", "ada", "bob")
    assert (contest.rows, contest.unmatched, contest.other_base) == (3, 1, 1)
    assert contest.equal == {("base", "ada"): 0, ("base", "bob"): 1, ("ada", "bob"): 1}
    of_rows = {number: [duel for duel in contest.duels if duel.row == f"rows.jsonl:{number}"] for number in range(3)}
    assert len(of_rows[0]) == 3
    # Two models that answered alike are asked about once, for both of their meetings.
    assert [(duel.texts, duel.meetings) for duel in of_rows[1]] == [(("b", "x"), (("base", "ada"), ("base", "bob")))]
    assert of_rows[2][0].meetings == (("base", "ada"), ("bob", "ada"))


def test_what_cannot_be_judged_is_said(tmp_path) -> None:
    silent = row(0, "a", "b")
    del silent["base"]["text"]
    with pytest.raises(DataError, match="wrote no answers"):
        contest_of(tmp_path / "a", [silent])
    path = write_run(tmp_path / "b", plain_rows(1))
    path.write_text('{"origin": 3}\n')
    with pytest.raises(DataError, match="no evaluated row") as caught:
        read_contest({"b": path}, 1)
    assert caught.value.where.endswith("rows.jsonl:1")
    with pytest.raises(DataError, match="no evaluated rows"):
        contest_of(tmp_path / "c", [])
    files = {"d": write_run(tmp_path / "d", [row(1, "a", "b")]), "e": write_run(tmp_path / "e", [row(2, "a", "b")])}
    with pytest.raises(DataError, match="in common"):
        read_contest(files, 1)


def test_signs_that_end_a_line_elsewhere_are_text_here(tmp_path) -> None:
    contest = contest_of(tmp_path, [row(0, "a\u2028b", "c\x85d")])
    assert contest.duels[0].texts == ("a\u2028b", "c\x85d")
