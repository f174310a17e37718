"""Each reward on answers whose worth is known."""

from __future__ import annotations

import pytest

from sevenfold.errors import RecipeError
from sevenfold.schema import Chosen
from sevenfold.tune.rewards import REWARDS, Answered


def value(chosen, answer: str, reference: str = "", **more) -> float:
    return Chosen(REWARDS).choose(chosen).value(Answered((), answer, reference, **more))


def test_exact_match() -> None:
    assert value("exact_match", " May  5,\n2001 ", "May 5, 2001") == 1
    assert value("exact_match", "e\u0301", "é") == 1
    assert value("exact_match", "may 5, 2001", "May 5, 2001") == 0


def test_overlap_is_the_longest_common_subsequence() -> None:
    assert value("overlap", "abcd", "acbd") == pytest.approx(2 * 3 / 8)
    assert value("overlap", "", "") == 1
    assert value("overlap", "xyz", "abc") == 0
    assert value("overlap", "5 May", "5 May") == 1
    assert value("overlap", "5 May and so on and on", "5 May") < 0.5


def test_number() -> None:
    assert value("number", "it is 1,250.5, I think 12", "12") == 1
    assert value("number", "جواب ۱۲٫۵ است", "12.5") == 1
    assert value({"number": {"take": "first"}}, "7 of 9", "7") == 1
    assert value({"number": {"tolerance": 0.1}}, "105", "100") == 1
    assert value({"number": {"near": 0.5}}, "50", "100") == pytest.approx(0.25)
    assert value("number", "none", "4") == 0


def test_regex() -> None:
    assert value({"regex": r"\d{4}-\d\d-\d\d"}, "2001-05-05\n") == 1
    assert value({"regex": r"\d{4}-\d\d-\d\d"}, "on 2001-05-05") == 0
    assert value({"regex": {"pattern": r"\d", "whole": False}}, "on 5 May") == 1
    with pytest.raises(RecipeError, match="no regular expression"):
        Chosen(REWARDS).choose({"regex": "("})


SCHEMA = {"type": "object", "required": ["year"], "properties": {"year": {"type": "integer"}}}


def test_json_valid() -> None:
    assert value("json_valid", '{"year": "?"}') == 1
    assert value("json_valid", 'Here: {"year": 1}') == 0
    schema = {"json_valid": {"document": SCHEMA, "parses": 0.25, "keys": 1.0}}
    assert value(schema, '{"year": "?"}', '{"year": 2001}') == 0.25
    assert value(schema, '{"year": 2001}', '{"year": 2001, "month": 5}') == 1.5


def test_length() -> None:
    chosen = {"length": {"least": 2, "most": 4, "margin": 4}}
    assert [value(chosen, "", tokens=count) for count in (0, 1, 2, 4, 5, 8)] == [0.5, 0.75, 1, 1, 0.75, 0]
    assert value(chosen, "", tokens=3, ended=False) == 0
