"""A judge's scores through a real service."""

from __future__ import annotations

import json
import re

import pytest

from sevenfold import cache
from sevenfold.errors import DataError, MachineError
from sevenfold.evaluate.metrics.g_eval import GEval
from sevenfold.evaluate.section import EvaluateSection
from tests.evaluate.metrics.asked import question
from tests.generate.judging import service

ASKED = question("2 + 2?", "4", number=3)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


def by_rule(asked: str):
    """Right answers get 4 or 5, evenly; wrong ones 1."""
    right = re.search(r"<answer>\n(.*?)\n</answer>", asked)[1] == "4"
    return (200, "5", {"5": 0.5, "4": 0.5}) if right else (200, "1", {"1": 1.0})


def test_the_score_is_the_mean_over_the_scale_as_a_share_of_it() -> None:
    with service(by_rule) as judge:
        metric = EvaluateSection(metrics=[{"g_eval": {"model": "judge", "address": judge.address}}]).metrics[0]
        # (4.5 - 1) / (5 - 1) where it is right.
        assert metric.values(["4", "5", "4"], [ASKED] * 3) == [pytest.approx(0.875), 0, pytest.approx(0.875)]
    assert all("2 + 2?" in one["messages"][0]["content"] for one in judge.asked)


def test_nobody_is_asked_twice() -> None:
    with service(by_rule) as judge:
        metric = GEval(model="judge", address=judge.address)
        found = metric.values(["4", "5", "4"], [ASKED] * 3)
        assert len(judge.asked) == 2
        assert metric.values(["4", "5", "4"], [ASKED] * 3) == found
        assert len(judge.asked) == 2
        metric.values(["6"], [ASKED])
        GEval(model="judge", address=judge.address, criteria="Short ones are good.").values(["4"], [ASKED])
        GEval(model="judge", address=judge.address, compare=False).values(["4"], [ASKED])
        assert len(judge.asked) == 5


def test_what_was_judged_before_a_failure_is_kept() -> None:
    def fails(asked: str):
        return (200, "no idea", None) if "third" in asked else by_rule(asked)

    with service(fails) as judge:
        metric = GEval(model="judge", address=judge.address, at_once=1)
        with pytest.raises(DataError, match="wrote 'no idea'") as caught:
            metric.values(["4", "5", "third"], [ASKED] * 3)
        assert caught.value.where == "rows:4"
        assert "unjudged: worst" in caught.value.next_step
        before = len(judge.asked)
        lenient = GEval(model="judge", address=judge.address, unjudged="worst")
        assert lenient.values(["4", "5", "third"], [ASKED] * 3) == [pytest.approx(0.875), 0, 0]
        assert len(judge.asked) == before + 1


def test_the_key_is_sent_and_not_kept(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("JUDGE_KEY", "a-secret")
    with service(by_rule) as judge:
        metric = GEval(model="judge", address=judge.address, key_variable="JUDGE_KEY")
        metric.values(["4"], [ASKED])
    assert judge.asked[0]["key"] == "Bearer a-secret"
    kept = [path.read_text(encoding="utf-8") for path in (tmp_path / "cache").rglob("*.jsonl")]
    assert kept
    assert not any("a-secret" in text for text in [*kept, json.dumps(metric.model_dump())])


def test_a_scale_has_two_ends() -> None:
    with pytest.raises(ValueError, match="has to be below"):
        GEval(model="judge", lowest=5, highest=5)


def test_nobody_at_the_address_is_said() -> None:
    with pytest.raises(MachineError, match="cannot be asked"):
        GEval(model="judge", address="http://127.0.0.1:9/v1", tries=1).values(["4"], [ASKED])
