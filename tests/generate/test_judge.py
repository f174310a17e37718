"""A judge's scores: from its probabilities, from its text, and why there is none."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError, MachineError
from sevenfold.generate.judge import Judge
from tests.generate.judging import service

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]


def judge(address: str, **changes) -> Judge:
    given = {
        "model": "judge",
        "criteria": "A good answer is right.",
        "lowest": 1,
        "highest": 5,
        "seconds": 10,
        "tries": 1,
        "key_variable": "SEVENFOLD_TEST_KEY",
    }
    return Judge(address, **{**given, **changes})


def test_the_score_is_the_mean_over_the_scale() -> None:
    """4 with 0.6 and 5 with 0.2 are what is on the scale: (4 * 0.6 + 5 * 0.2) / 0.8."""
    with service(lambda _: (200, "4", {"4": 0.6, "5": 0.2, "9": 0.1, "four": 0.1})) as found:
        assert judge(found.address).score(ASKED, "4") == pytest.approx(4.25)


@pytest.mark.parametrize(("text", "score"), [("3", 3), ("Score: 5.", 5), (" 1\n", 1)])
def test_without_probabilities_it_is_what_is_written(text: str, score: int) -> None:
    with service(lambda _: (200, text, None)) as found:
        assert judge(found.address).score(ASKED, "4") == score


@pytest.mark.parametrize("text", ["good", "7", "0", ""])
def test_what_is_not_on_the_scale_is_no_score(text: str) -> None:
    with service(lambda _: (200, text, None)) as found, pytest.raises(DataError, match="no number from 1 to 5"):
        judge(found.address).score(ASKED, "4")


def test_it_is_asked_with_everything_that_counts(monkeypatch) -> None:
    monkeypatch.setenv("SEVENFOLD_TEST_KEY", "secret")
    with service(lambda _: (200, "3", None)) as found:
        judge(found.address).score(ASKED, "four", reference="4")
    (asked,) = found.asked
    question = asked["messages"][0]["content"]
    assert all(
        part in question for part in ("Be brief.", "2 + 2?", "four", "A good answer is right.", "<reference>\n4\n")
    )
    assert (asked["model"], asked["temperature"], asked["key"]) == ("judge", 0, "Bearer secret")


def test_a_busy_judge_is_asked_again() -> None:
    replies = iter([(429, "busy", None), (500, "broken", None), (200, "2", None)])
    with service(lambda _: next(replies)) as found:
        assert judge(found.address, tries=3).score(ASKED, "4") == 2


def test_a_judge_that_stays_busy_is_a_failure_of_this_answer() -> None:
    with service(lambda _: (503, "broken", None)) as found, pytest.raises(DataError, match="after 2 tries"):
        judge(found.address, tries=2).score(ASKED, "4")


def test_nobody_at_the_address_ends_the_run() -> None:
    with pytest.raises(MachineError, match="cannot be asked"):
        judge("http://127.0.0.1:9/v1").score(ASKED, "4")


def test_an_unknown_model_ends_the_run() -> None:
    with service(lambda _: (404, "no such model", None)) as found, pytest.raises(MachineError, match="no such model"):
        judge(found.address).score(ASKED, "4")


def test_a_service_without_probabilities_is_asked_without_them() -> None:
    replies = iter([(400, "logprobs is not supported", None), (200, "4", None)])
    with service(lambda _: next(replies)) as found:
        assert judge(found.address).score(ASKED, "4") == 4
    assert [("logprobs" in one) for one in found.asked] == [True, False]
