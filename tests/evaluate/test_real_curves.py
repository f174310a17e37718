"""Real trainings of the tiny model, driven into each state by a recipe; half a minute together."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from sevenfold.console import Console
from sevenfold.evaluate.curve import read_curve
from sevenfold.evaluate.trained import Trained
from sevenfold.pipeline import Run
from sevenfold.recipe import Recipe
from tests import tiny

pytestmark = pytest.mark.slow
WORDS = ["apple", "river", "stone", "cloud", "green", "house", "paper", "light", "music", "table"]
FREE = {"clip": None, "spike": 1e9}
"""Nothing holds the training back, nor stops it."""


def write_rows(path: Path, count: int, learnable: bool = True) -> Path:
    """Three words to turn round; or, where nothing can be learnt but by heart, three to be answered with others."""
    draw, rows = random.Random(0), []
    for _ in range(count):
        words = draw.sample(WORDS, 3)
        reply = words[::-1] if learnable else draw.sample(WORDS, 3)
        rows.append({"prompt": f"turn {' '.join(words)}", "completion": " ".join(reply)})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def trained(folder: Path, model: Path, rows: Path, **tune):
    """The verdict on a recipe's training, and its folder."""
    recipe = Recipe.build(
        {
            "name": "curve",
            "prepare": {"source": str(rows), "split": {"validation": 0.2, "test": 0.1}},
            "load": {"model": str(model)},
            "setup": {"threads": 1},
            "tune": {"method": "full", "learning_rate": 3e-3, "steps": 100, "validate_every": 20, **tune},
        }
    )
    run = Run(recipe, folder, Console(quiet=True), proved=False)
    run.up_to("tune", report=False)
    tuned = run.results["tune"]
    return read_curve(tuned.losses, tuned.validation_losses, Trained.of(tuned)), tuned


@pytest.fixture(scope="module")
def able(tiny_weights, tmp_path_factory):
    """A model that turns words round, and the verdict on its training."""
    folder = tmp_path_factory.mktemp("able")
    found, tuned = trained(folder, tiny_weights, write_rows(folder / "rows.jsonl", 600), steps=120)
    tiny.make_tokenizer(tuned.weights)
    return found, tuned.weights


def test_a_good_recipe_is_healthy(able):
    found, _ = able
    assert found.verdict == "healthy", found
    assert found.evidence["validation_last"] < 0.3
    assert 0.5 < found.evidence["clipped"] < 1
    assert found.evidence["learning_rate"] == pytest.approx(3e-3, rel=0.2)


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_a_rate_far_too_high_diverges(able, tmp_path, rate):
    found, _ = trained(tmp_path, able[1], write_rows(tmp_path / "rows.jsonl", 300), learning_rate=rate, **FREE)
    assert found.verdict == "diverging", found
    assert found.since <= 10
    assert {lever.key: lever.next for lever in found.levers}["tune.learning_rate"] == pytest.approx(rate / 10)
    assert found.stop.spared > 0
    # The next value that the advice names mends it: the trained model is no worse than its base.
    milder, _ = trained(
        tmp_path / "milder", able[1], tmp_path / "rows.jsonl", learning_rate=found.levers[0].next / 10, **FREE
    )
    assert milder.verdict != "diverging", milder


def test_a_rate_that_comes_back_too_high_fluctuates(tiny_weights, tmp_path):
    rows = write_rows(tmp_path / "rows.jsonl", 600)
    tune = {"learning_rate": 0.05, "schedule": {"restarts": {"cycles": 4}}}
    found, _ = trained(tmp_path, tiny_weights, rows, steps=150, validate_every=10, **tune, **FREE)
    assert found.verdict == "fluctuating", found
    assert {"tune.learning_rate", "tune.batch"} <= {lever.key for lever in found.levers}


def test_few_rows_many_times_are_learnt_by_heart_and_patience_stops_that(tiny_weights, tmp_path):
    rows = write_rows(tmp_path / "rows.jsonl", 40, learnable=False)
    settings = {"epochs": 40, "steps": None, "validate_every": None}
    found, _ = trained(tmp_path, tiny_weights, rows, **settings)
    assert found.verdict == "overfit", found
    assert found.evidence["gap"] > 0.5
    advised = {lever.key: lever.next for lever in found.levers}
    assert advised["tune.epochs"] < 25
    # What was advised does what it says.
    again, tuned = trained(tmp_path / "again", tiny_weights, rows, **settings, patience=advised["tune.patience"])
    assert tuned.steps == found.stop.step
    assert again.evidence["validation_best"] == pytest.approx(found.evidence["validation_best"])


@pytest.mark.parametrize(("rate", "verdict"), [(1e-6, "too little signal"), (3e-5, "underfit")])
def test_a_rate_too_low_learns_little(tiny_weights, tmp_path, rate, verdict):
    rows = write_rows(tmp_path / "rows.jsonl", 300)
    found, _ = trained(tmp_path, tiny_weights, rows, learning_rate=rate)
    assert found.verdict == verdict, found
    assert {lever.key: lever.next for lever in found.levers}["tune.learning_rate"] > rate
