"""The benchmark of optimisers: every one is trained once and kept, pictures say what the registries hold."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from sevenfold.tune.optimizers import OPTIMIZERS
from sevenfold.tune.schedules import SCHEDULES

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import optimizers  # noqa: E402 (a script's folder, which is on the path when it runs)


@pytest.fixture
def wanted(tiny_weights, tmp_path):
    return argparse.Namespace(steps=2, trial=1, model=str(tiny_weights), kept=tmp_path / "kept.json")


def test_every_optimiser_is_trained_once_and_kept(wanted, monkeypatch, capsys) -> None:
    monkeypatch.setitem(optimizers.ROWS["cldr"], "count", 60)
    monkeypatch.setattr(optimizers, "TUNE", {**optimizers.TUNE, "max_length": 512, "batch": 1, "validation_rows": 1})
    monkeypatch.setattr(optimizers, "AROUND", (1.0,))
    optimizers.run(wanted)
    kept = json.loads(wanted.kept.read_text(encoding="utf-8"))
    assert set(kept["runs"]) == set(OPTIMIZERS.names())
    assert all(len(found["losses"]) == 2 for found in kept["runs"].values())
    # All from one start on the same rows.
    assert len({round(found["losses"][0], 4) for found in kept["runs"].values()}) == 1
    del kept["runs"]["lion"]
    wanted.kept.write_text(json.dumps(kept), encoding="utf-8")
    calls = []
    train = optimizers.Stand.train
    monkeypatch.setattr(optimizers.Stand, "train", lambda *given: calls.append(given[1]) or train(*given))
    optimizers.run(wanted)
    assert calls == ["lion"]
    table = optimizers.table(json.loads(wanted.kept.read_text(encoding="utf-8")))
    assert all(f"| `{name}` |" in table for name in OPTIMIZERS.names())
    assert optimizers.losses(kept) == optimizers.losses(kept)


def test_the_picture_of_schedules_has_them_all() -> None:
    drawn = (ROOT / "docs" / "images" / "schedules.svg").read_text(encoding="utf-8")
    assert all(f">{name}</text>" in drawn for name in SCHEDULES.names())


def test_the_best_rate_is_the_one_with_the_lowest_loss() -> None:
    assert optimizers.best({"0.1": None, "0.03": 2.0, "0.01": 3.0}) == 0.03
