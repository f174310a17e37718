"""`sevenfold plan`: by arithmetic, and measured on a few real steps."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from tests.whole import sevenfold

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_a_few_real_steps_are_taken_and_told(workshop) -> None:
    found = sevenfold("plan", "small.yaml", "--json").json
    measured = found["measured"]
    assert measured["steps"] >= 1
    assert measured["tokens"] > 0
    assert measured["peak_bytes"] > 50_000_000
    per_token = measured["seconds"] / measured["tokens"]
    assert measured["total_seconds"] == pytest.approx(per_token * found["work"]["total_tokens"], abs=0.06)
    assert "measured on" in sevenfold("plan", "small.yaml").err


def test_without_measuring_no_step_is_taken(workshop) -> None:
    assert sevenfold("plan", "small.yaml", "--no-measure", "--json").json["measured"] is None


def test_what_does_not_fit_is_not_tried(workshop, monkeypatch) -> None:
    monkeypatch.setattr("sevenfold.setup.limits.available_memory", lambda device="cpu": 1_000_000)
    found = sevenfold("plan", "small.yaml", "--json").json
    assert (found["fits"], found["measured"]) == (False, None)


def test_what_was_tried_leaves_nothing_behind(workshop) -> None:
    before = sorted(path for path in Path("runs/small").rglob("*"))
    sevenfold("plan", "small.yaml")
    assert sorted(path for path in Path("runs/small").rglob("*")) == before


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_memory_and_time_of_five_recipes_are_foretold(monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    plan = importlib.import_module("plan")
    assert len(plan.RECIPES) == 5
    for name, fields in plan.RECIPES.items():
        found = plan.row(name, fields, steps=12)
        assert found["planned"] == pytest.approx(found["peak"], rel=0.10), found
        assert found["planned_seconds"] == pytest.approx(found["seconds"], rel=0.25), found
