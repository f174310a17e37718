"""What the judging page asks and is told."""

from __future__ import annotations

import json
import re

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.human.desk import Asked, JudgeDesk
from sevenfold.evaluate.human.judgements import Judgements
from tests.evaluate.human.made import contest_of, plain_rows
from tests.prepare.labels.made import lines


@pytest.fixture
def contest(tmp_path):
    return contest_of(tmp_path, plain_rows(20))


def desk_of(contest, tmp_path, name="ada", **asked) -> JudgeDesk:
    return JudgeDesk(contest, Judgements(tmp_path / "judgements.jsonl"), name, Asked(**asked))


def work(desk: JudgeDesk, count: int, choice="left") -> list[int]:
    asked, place = [], desk.task()["next"]
    while place is not None and len(asked) < count:
        asked.append(place)
        place = desk.answer({"origin": desk.origins[place], "choice": choice, "seconds": 2})["next"]
    return asked


def test_nothing_that_is_sent_or_kept_says_whose_an_answer_is(contest, tmp_path) -> None:
    desk = desk_of(contest, tmp_path, scales=("fluency",), reference=True)
    work(desk, 20)
    said = json.dumps([desk.task(), *map(desk.row, range(20)), desk.undo()])
    kept = (tmp_path / "judgements.jsonl").read_text()
    for word in ("base", "tuned", "first", "second", "chrf", "meeting", "values"):
        assert not re.search(rf"\b{word}\b", said)
        assert not re.search(rf"\b{word}\b", kept)


def test_both_models_stand_on_both_sides_and_the_digest_tells_us_which(contest, tmp_path) -> None:
    desk = desk_of(contest, tmp_path)
    work(desk, 20)
    lefts = [
        contest.duels[contest.places[line["origin"]]].digests.index(line["left"]) for line in lines(desk.answers.path)
    ]
    assert sum(lefts) == 10
    for place, side in enumerate(lefts):
        assert desk.row(place)["left"] == contest.duels[place].texts[side]


def test_everyone_is_asked_everything_unless_it_is_shared_out(contest, tmp_path) -> None:
    assert work(desk_of(contest, tmp_path), 20) == work(desk_of(contest, tmp_path, "bob"), 20)
    (tmp_path / "judgements.jsonl").unlink()
    ada, bob = desk_of(contest, tmp_path, overlap=0.0), desk_of(contest, tmp_path, "bob", overlap=0.0)
    assert work(ada, 3) == [0, 1, 2]
    assert work(bob, 2) == [3, 4]


def test_with_another_seed_what_was_said_is_turned_with_the_sides(contest, tmp_path) -> None:
    before = desk_of(contest, tmp_path, scales=("fluency",))
    for place in range(20):
        before.answer({"origin": before.origins[place], "choice": "left", "scales": {"fluency": [5, 2]}})
    after = desk_of(contest, tmp_path, seed=3, scales=("fluency",))
    turned = 0
    for place in range(20):
        row = after.row(place)
        best = row["left"] if row["answer"]["choice"] == "left" else row["right"]
        assert best == before.row(place)["left"]
        assert row["answer"]["scales"]["fluency"] == ([5, 2] if row["answer"]["choice"] == "left" else [2, 5])
        turned += row["answer"]["choice"] == "right"
    assert 0 < turned < 20


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"choice": "lefft"}, "no choice"),
        ({"choice": "left", "scales": {"fluency": [6, 1]}}, "no marks"),
        ({"choice": "left", "scales": {"fluency": [True, 1]}}, "no marks"),
        ({"choice": "left", "scales": {"fluency": [1]}}, "no marks"),
        ({"choice": "left", "scales": {"charm": [1, 1]}}, "no scale"),
        ({"choice": "left", "scales": [1]}, "are none"),
        ({"origin": "elsewhere", "choice": "left"}, "not in the queue"),
        ({"origin": ["x"], "choice": "left"}, "not in the queue"),
    ],
)
def test_what_does_not_fit_is_refused_and_not_kept(contest, tmp_path, sent, said) -> None:
    desk = desk_of(contest, tmp_path, scales=("fluency",))
    with pytest.raises(DataError, match=said):
        desk.answer({"origin": desk.origins[0], **sent})
    assert not desk.answers.path.exists()


def test_an_undo_gives_the_pair_back_as_it_was(contest, tmp_path) -> None:
    desk = desk_of(contest, tmp_path)
    first = desk.origins[0]
    desk.answer({"origin": first, "choice": "left", "note": "shorter"})
    desk.answer({"origin": first, "choice": None})
    assert desk.task()["progress"]["skipped"] == 1
    assert desk.undo()["undone"] == 0
    assert desk.row(0)["answer"] == {"choice": "left", "note": "shorter", "scales": {}}
    assert JudgeDesk(contest, Judgements(desk.answers.path), "ada", Asked()).row(0)["answer"]["choice"] == "left"
    assert desk.undo()["undone"] == 0
    assert desk.row(0)["answer"] is None
    assert desk.undo()["undone"] is None


def test_lines_that_are_no_judgements_are_counted(contest, tmp_path) -> None:
    path = tmp_path / "judgements.jsonl"
    good = json.dumps({"origin": contest.duels[0].origin, "left": "x", "choice": "both", "annotator": "ada"})
    bad = ["[]", '{"origin": "a"}', '{"origin": "a", "left": "b", "choice": "middle"}', '{"origin": "a", "le']
    path.write_text("\n".join([*bad, good, ""]))
    found = Judgements(path)
    assert (found.broken, [of["ada"].choice for of in found.held.values()]) == (4, ["both"])
