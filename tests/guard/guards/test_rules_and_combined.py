"""Rules find what is listed; combined counts votes and failures."""

from __future__ import annotations

import json

import pytest

from sevenfold.errors import RecipeError
from sevenfold.guard import Judgement
from sevenfold.guard.guards.combined import OpenCombined
from tests.guard.said import guard, talk


def test_rules_in_both_languages():
    judged = guard("rules").open().judge([talk("I will kill you"), talk("می‌کشمت"), talk("Kill the process")])
    assert [one.safe for one in judged] == [False, False, True]
    assert [flag.name for flag in judged[0].categories] == ["threat"]
    assert [one.score for one in judged] == [1, 1, 0]
    assert "i will kill you" in judged[0].why


def test_rules_judge_the_side_that_is_asked():
    one = guard("rules").open()
    said = [talk("hello", "i will kill you")]
    assert one.judge(said, "prompt")[0].safe
    assert not one.judge(said, "response")[0].safe


def test_rules_of_the_users(tmp_path):
    words = tmp_path / "mine.txt"
    words.write_text("spam\tbuy now\n", encoding="utf-8")
    found = guard({"rules": {"words": str(words), "patterns": {"card": r"\b\d{16}\b"}, "categories": ["spam", "card"]}})
    judged = found.open().judge([talk("BUY  now!"), talk("1234567812345678"), talk("I will kill you")])
    assert [[flag.name for flag in one.categories] for one in judged] == [["spam"], ["card"], []]
    with pytest.raises(RecipeError, match="no list has the category 'spm'"):
        guard({"rules": {"words": str(words), "categories": ["spm"]}}).open()
    with pytest.raises(RecipeError, match="no regular expression"):
        guard({"rules": {"patterns": {"x": "("}}}).open()


LISTS = {name: {"rules": {"languages": [], "patterns": {name: name}}} for name in ("a", "b", "c")}


@pytest.mark.parametrize(
    ("when", "unsafe"),
    [
        ("any", [False, True, True, True]),
        ("majority", [False, False, True, True]),
        ("all", [False, False, False, True]),
    ],
)
def test_votes(when, unsafe):
    found = guard({"combined": {"guards": list(LISTS.values()), "unsafe_when": when}}).open()
    judged = found.judge([talk(text) for text in ("-", "a", "ab", "abc")])
    assert [not one.safe for one in judged] == unsafe
    # The score, cut anywhere between, gives the same vote.
    assert [one.score >= 0.5 for one in judged] == unsafe
    assert [flag.name for flag in judged[3].categories] == ["a", "b", "c"]


@pytest.fixture
def broken(tmp_path):
    """A guard that fails on a text with 'x', and at all on one with 'y'."""
    file = tmp_path / "broken.py"
    file.write_text(
        "from sevenfold.errors import MachineError\n"
        "from sevenfold.guard import Guard, Judgement, OpenGuard, judged_text\n"
        "class Broken(Guard):\n"
        "    def open(self):\n"
        "        return Open()\n"
        "class Open(OpenGuard):\n"
        "    def judge(self, conversations, side='prompt'):\n"
        "        texts = [judged_text(one, side) for one in conversations]\n"
        "        if any('y' in text for text in texts):\n"
        "            raise MachineError('gone')\n"
        "        return [Judgement(False, 1.0, why='unread', failed=True) if 'x' in text else Judgement(True, 0.0)\n"
        "                for text in texts]\n",
        encoding="utf-8",
    )
    return {"file": str(file)}


@pytest.mark.parametrize(("rule", "safe"), [("closed", False), ("open", True)])
def test_a_guard_that_fails_is_counted_and_votes_as_said(broken, rule, safe):
    found = guard({"combined": {"guards": [broken, LISTS["a"]], "when_failing": rule}}).open()
    assert isinstance(found, OpenCombined)
    judged = found.judge([talk("x"), talk("-"), talk("xa")])
    assert [one.safe for one in judged] == [safe, True, False]
    assert [one.failed for one in judged] == [True, False, True]
    judged = found.judge([talk("y")])
    assert (judged[0].safe, judged[0].failed) == (safe, True)
    assert "gone" in judged[0].why
    assert sum(found.failures.values()) == 3
    assert found.failures["rules"] == 0


def test_a_threshold_of_the_vote():
    lists = {"combined": {"guards": [LISTS["a"]], "threshold": 1.0}}
    assert not guard(lists).open().judge([talk("a")])[0].safe


def test_a_judgement_as_json():
    assert json.loads(json.dumps(Judgement(True, 0.0).as_json()))["categories"] == []
