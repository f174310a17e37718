"""Errors say what, where, what else, and what next."""

from __future__ import annotations

from sevenfold.errors import SevenfoldError, closest


def test_the_nearest_option_is_suggested() -> None:
    assert closest("loar", ["lora", "full"]) == "lora"
    assert closest("LORA", ["lora", "full"]) == "lora"
    assert closest("zzzz", ["lora", "full"]) is None


def test_every_fact_is_in_the_message_and_in_the_json() -> None:
    error = SevenfoldError(
        "bad", where="a.csv:3", expected="a number", alternatives=["one", "two"], value="tow", next_step="mend it"
    )
    assert str(error).splitlines() == [
        "bad",
        "  where: a.csv:3",
        "  expected: a number",
        "  did you mean: two",
        "  available: one, two",
        "  next: mend it",
    ]
    assert error.as_json()["did_you_mean"] == "two"


def test_a_better_place_replaces_the_first_one() -> None:
    assert "where: b:2" in str(SevenfoldError("bad", where="a").at("b:2"))
