"""What is asked of whom."""

from __future__ import annotations

import json

import pytest

from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.page.desk import Desk
from sevenfold.prepare.labels.queue import Answer
from sevenfold.prepare.labels.review import Asked, read_review

ROWS = 400


@pytest.fixture
def review(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": f"row {number}"}) + "\n" for number in range(ROWS)))
    return read_review(path, Asked(["x", "y"]))


def work(desk: Desk, count: int) -> list[int]:
    """Answer the rows that the desk asks for, in its order."""
    asked = []
    place = desk.task()["next"]
    while place is not None and len(asked) < count:
        asked.append(place)
        place = desk.answer({"origin": desk.review.items[place].origin, "label": "x", "seconds": 2})["next"]
    return asked


def test_what_one_has_answered_is_not_asked_of_another(review, tmp_path) -> None:
    ada = Desk(review, Answers(tmp_path / "a.jsonl"), "ada")
    bob = Desk(review, Answers(tmp_path / "a.jsonl"), "bob")
    assert work(ada, 3) == [0, 1, 2]
    assert work(bob, 2) == [3, 4]
    assert work(ada, 1) == [5]
    assert bob.task()["progress"]["elsewhere"] == 4


def test_the_share_of_overlap_is_the_same_rows_for_everyone(review, tmp_path) -> None:
    ada = Desk(review, Answers(tmp_path / "a.jsonl"), "ada", 0.2)
    bob = Desk(review, Answers(tmp_path / "a.jsonl"), "bob", 0.2)
    assert len(work(ada, ROWS)) == ROWS
    both = work(bob, ROWS)
    assert 50 < len(both) < 110
    assert both == [place for place, own in enumerate(ada.for_all) if own]
    assert set(both) <= {place for place, own in enumerate(Desk(review, ada.answers, "eve", 0.3).for_all) if own}


def test_the_pace_is_a_median_so_that_a_break_does_not_slow_it(review, tmp_path) -> None:
    answers = Answers(tmp_path / "a.jsonl")
    times = [3.0, 4.0, 5.0, 500.0, 4.0]
    answers.append(
        Answer(review.items[place].origin, "x", "ada", seconds, f"2026-01-01T00:00:{place:02}+00:00")
        for place, seconds in enumerate(times)
    )
    assert Desk(review, answers, "ada").task()["progress"]["seconds_a_row"] == 4.0
    assert Desk(review, answers, "bob").task()["progress"]["seconds_a_row"] is None
