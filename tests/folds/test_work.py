"""Real cross-validations of a small recipe: every row once, figures traceable, interrupted ones go on."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sevenfold.errors import TrainingError
from sevenfold.evaluate.metrics.macro_f1 import MacroF1
from sevenfold.folds import work
from sevenfold.pipeline import Run
from sevenfold.prepare.dataset import Dataset
from tests.report.test_page import Page
from tests.whole import record, sevenfold, write_recipe

FOLDS = Path("runs/small-folds-3")
SECTIONS = {
    "prepare": {"split": {"validation": 0.2}},
    "tune": {"steps": 4},
    "evaluate": {"metrics": ["loss", "chrf", "macro_f1"], "by": "kind", "rows": 2},
}
# Three trainings with their proofs, and what stands around them.
pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]


def write_rows(path, count=36):
    rows = [
        {"prompt": f"say {n}: the data", "completion": ["yes", "no"][n % 2], "kind": "ab"[n % 3 == 0]}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def made(tiny_weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds")
    write_rows(folder / "rows.jsonl")
    write_recipe(folder, tiny_weights, **SECTIONS)
    with contextlib.chdir(folder):
        called = sevenfold("folds", "small.yaml", "--folds", 3, "--json")
    assert called.code == 0, called.err
    return folder, called.json


@pytest.fixture
def told(made):
    return made[1]


def test_every_row_is_scored_once_by_a_model_that_never_saw_it(made, told):
    folder, _ = made
    scored = Counter()
    for fold in ("fold-1", "fold-2", "fold-3"):
        place = folder / FOLDS / fold
        tested = {row["origin"] for row in lines(place / "5-evaluate" / "rows.jsonl")}
        scored.update(tested)
        dataset = Dataset.open(place / "1-prepare")
        learnt = {row.origin for split in ("train", "validation") for row in dataset.rows(split)}
        assert not tested & learnt
        assert len(tested | learnt) == 36
    assert len(scored) == 36
    assert set(scored.values()) == {1}
    assert (told["rows"], told["available"], told["twice"], told["left_out"]) == (36, 36, 0, {})


def test_pooled_figures_are_those_of_all_rows(made, told):
    folder, _ = made
    rows = [row for n in (1, 2, 3) for row in lines(folder / FOLDS / f"fold-{n}" / "5-evaluate" / "rows.jsonl")]
    for side in ("base", "tuned"):
        weights = [row["weights"]["loss"] for row in rows]
        mean = np.average([row[side]["values"]["loss"] for row in rows], weights=weights)
        assert told["metrics"]["loss"]["pooled"][side] == pytest.approx(mean)
        of_folds = [fold["metrics"]["loss"][side] for fold in told["folds"]]
        assert told["metrics"]["loss"][side]["mean"] == pytest.approx(np.mean(of_folds))
        assert told["metrics"]["loss"][side]["deviation"] == pytest.approx(np.std(of_folds, ddof=1))
    # F1 of all answers at once is not the mean of the folds' F1.
    metric = MacroF1()
    table = metric.table([row["tuned"]["text"] for row in rows], [row["reference"] for row in rows])
    assert told["metrics"]["macro_f1"]["pooled"]["tuned"] == pytest.approx(float(metric.finish(table.mean(axis=0))))
    assert told["metrics"]["loss"]["pooled"]["better"] == "yes"
    assert told["better"] in ("yes", "mixed")
    assert told["metrics"]["loss"]["ahead"] == 3
    low, high = told["metrics"]["loss"]["over_folds"]
    assert low < told["metrics"]["loss"]["difference"]["mean"] < high
    assert told["gaps"]["loss"]["rows"] == {"a": 24, "b": 12}


def test_what_is_shared_is_linked_and_the_proofs_run_once(made):
    place = made[0] / FOLDS
    cards = [place / f"fold-{n}" / "2-load" / "result.json" for n in (1, 2, 3)]
    assert len({card.stat().st_ino for card in cards}) == 1
    assert record(place / "fold-1")["tune"]["proofs"]
    assert not record(place / "fold-2")["tune"]["proofs"]


def test_the_page_shows_verdict_metrics_folds_and_groups(made, told):
    text = (made[0] / FOLDS / "folds.html").read_text(encoding="utf-8")
    page = Page(text)
    assert told["summary"].split(":")[0] in page.text
    for word in ("fold-1", "fold-3", "macro_f1", "learnt from", "worst"):
        assert word in page.text
    assert "<svg" in text
    assert json.loads((made[0] / FOLDS / "folds.json").read_text()) == told


def test_done_folds_are_reused_and_lost_ones_made_again(made, tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(made[0], copy)
    monkeypatch.chdir(copy)
    shutil.rmtree(copy / FOLDS / "fold-2" / "5-evaluate")
    again = sevenfold("folds", "small.yaml", "--folds", 3)
    assert again.code == 0, again.err
    assert "fold-1: done before, reused" in again.err
    assert "fold-2: done before, reused" not in again.err
    assert "fold-3: done before, reused" in again.err
    found = json.loads((copy / FOLDS / "folds.json").read_text())
    assert found["metrics"] == made[1]["metrics"]


def test_an_interrupted_one_goes_on(tiny_weights, tmp_path, monkeypatch, made):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl")
    write_recipe(tmp_path, tiny_weights, **SECTIONS)
    plain = work.Work.round

    def cut(self, number, rounds):
        if number == 2:
            raise KeyboardInterrupt
        plain(self, number, rounds)

    with monkeypatch.context() as patch:
        patch.setattr(work.Work, "round", cut)
        assert sevenfold("folds", "small.yaml", "--folds", 3).code == 130
    assert not (FOLDS / "folds.json").exists()
    called = sevenfold("folds", "small.yaml", "--folds", 3, "--json")
    assert called.code == 0, called.err
    assert "fold-1: done before, reused" in called.err
    assert called.json["metrics"] == made[1]["metrics"]


def test_leave_one_out_by_a_column_has_a_training_for_each_of_its_values(tiny_weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl", 18)
    write_recipe(tmp_path, tiny_weights, **{**SECTIONS, "evaluate": {"metrics": ["loss"], "rows": 2}})
    called = sevenfold(
        "folds", "small.yaml", "--leave-one-out", "--by", "kind", "--set", "prepare.split.validation=0", "--json"
    )
    assert called.code == 0, called.err
    assert [(fold["name"], fold["rows"]) for fold in called.json["folds"]] == [("left-1", 12), ("left-2", 6)]
    refused = sevenfold("folds", "small.yaml", "--leave-one-out", "--limit", 10, "--json")
    assert refused.code == 2
    assert "18 trainings" in refused.json["error"]


def test_a_training_that_goes_wrong_is_its_folds_outcome(tiny_weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl", 24)
    write_recipe(tmp_path, tiny_weights, **{**SECTIONS, "evaluate": {"metrics": ["loss"]}})
    whole = Run.up_to

    def fails(self, last, report=True):
        if self.recipe.name == "fold-2" and last == "evaluate":
            raise TrainingError("the loss jumped", where="step 3")
        return whole(self, last, report)

    monkeypatch.setattr(Run, "up_to", fails)
    called = sevenfold("folds", "small.yaml", "--folds", 2, "--json")
    assert called.code == 0, called.err
    assert called.json["failures"]["fold-2"]["problem"] == "the loss jumped"
    assert [fold["name"] for fold in called.json["folds"]] == ["fold-1"]
    assert "1 folds could not be trained" in called.json["summary"]
