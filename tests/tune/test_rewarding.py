"""Judges: sums, time limits, and failures that are counted and told."""

from __future__ import annotations

import time

import pytest

from sevenfold.errors import MachineError, RecipeError
from sevenfold.schema import Chosen
from sevenfold.tune.rewarding import Judges
from sevenfold.tune.rewards import REWARDS, Answered

OWN = """
import time
from sevenfold.tune.rewards import Reward

class Mine(Reward):
    bonus: float = 0.0

    def value(self, answered):
        print("what a user's code prints does no harm")
        if answered.answer == "slow":
            time.sleep(60)
        if answered.answer == "wrong":
            raise KeyError("no such thing")
        if answered.answer == "odd":
            return "many"
        if answered.answer == "nan":
            return float("nan")
        if answered.answer == "gone":
            raise SystemExit(3)
        return len(answered.answer) + self.bonus + float(answered.fields.get("more", 0))
"""


def answered(*answers: str, reference: str = "", **fields: str) -> list[Answered]:
    return [Answered(({"role": "user", "content": "?"},), answer, reference, fields) for answer in answers]


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "my_reward.py"
    path.write_text(OWN, encoding="utf-8")

    def judges(**fields):
        return Judges([Chosen(REWARDS).choose({"file": str(path), **fields})])

    return judges


def test_rewards_are_added_by_weight() -> None:
    chosen = [{"overlap": {"weight": 0.5}}, {"exact_match": {"weight": 2}}, {"length": {"weight": 0}}]
    found = Judges([Chosen(REWARDS).choose(one) for one in chosen]).judge(answered("ab", "zz", reference="ab"))
    assert found.totals == [2.5, 0.0]
    assert found.figures["reward"] == 1.25
    assert found.figures["reward exact_match"] == 0.5
    assert found.figures["failed rewards"] == 0


def test_a_users_file_is_asked_in_a_process_of_its_own(own) -> None:
    found = own(bonus=0.5).judge(answered("abc", more="2"))
    assert found.totals == [5.5]
    assert not found.failures


def test_failures_have_the_stated_value_and_are_told(own) -> None:
    found = own(failed=-1.0).judge(answered("fine", "wrong", "odd", "nan", "wrong"))
    assert found.totals == [4.0, -1.0, -1.0, -1.0, -1.0]
    assert found.figures["failed rewards"] == pytest.approx(0.8)
    assert found.failures == {
        "my_reward: KeyError: 'no such thing'; it counts as -1": 2,
        "my_reward: gave 'many', which is not a number; it counts as -1": 1,
        "my_reward: gave nan, which is not a number; it counts as -1": 1,
    }
    assert len(found.notes) == 3


def test_what_takes_too_long_is_ended_and_the_rest_goes_on(own) -> None:
    started = time.monotonic()
    found = own(seconds=0.5).judge(answered("slow", "fine"))
    assert found.totals == [0.0, 4.0]
    assert list(found.failures) == ["my_reward: took longer than 0.5 s; it counts as 0"]
    assert time.monotonic() - started < 40


def test_a_process_that_ends_is_started_again(own) -> None:
    found = own().judge(answered("gone", "fine"))
    assert found.totals == [0.0, 4.0]
    assert list(found.failures) == ["my_reward: its process ended; it counts as 0"]


def test_a_reward_that_cannot_be_made_there_stops_the_run(own, tmp_path) -> None:
    judges = own()
    (tmp_path / "my_reward.py").write_text("import nothing_of_that_name", encoding="utf-8")
    with pytest.raises(RecipeError, match=r"my_reward cannot be used: .*nothing_of_that_name"):
        judges.judge(answered("a"))


def test_a_reference_without_a_number_is_told() -> None:
    found = Judges([Chosen(REWARDS).choose("number")]).judge(answered("4", reference="four"))
    assert list(found.failures) == ["number: the reply 'four' has no number; it counts as 0"]


def test_a_library_that_is_not_installed_stops_the_run(tmp_path, monkeypatch) -> None:
    (tmp_path / "jsonschema.py").write_text("raise ImportError('hidden')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    judges = Judges([Chosen(REWARDS).choose({"json_valid": {"document": {"type": "object"}}})])
    with pytest.raises(MachineError, match="jsonschema, which is not installed"):
        judges.judge(answered("{}"))
