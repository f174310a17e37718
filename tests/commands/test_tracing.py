"""A row of a run, followed to what it was made of and what was made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.whole import sevenfold, write_recipe, write_rows

CHANGE = """
from sevenfold.findings import Findings
from sevenfold.prepare.training import Change


class Pairs(Change):
    def rows(self, shelf, work):
        yield from shelf
        for number in range(0, len(shelf) - 1, 2):
            first, second = shelf.row(number), shelf.row(number + 1)
            yield work.make(second.conversation, [first, second], {})
        return Findings("pairs", "Rows of two.")
"""


@pytest.fixture
def prepared(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = write_rows(Path("rows.jsonl"), 40)
    path.write_text(path.read_text() + "broken\n" + json.dumps({"prompt": "p", "completion": ""}) + "\n")
    (tmp_path / "pairs.py").write_text(CHANGE)
    write_recipe(tmp_path, tmp_path, prepare={"training": [{"file": "pairs.py"}]})
    called = sevenfold("prepare", "small.yaml")
    assert called.code == 0, called.err
    return tmp_path


def traced(origin: str) -> dict:
    called = sevenfold("trace", "small", origin, "--json")
    assert called.code == 0, called.err
    return called.json


def test_a_made_row_leads_to_its_parents_and_they_to_it(prepared):
    name = next(f"{name}:1" for name in json.loads(Path("runs/small/1-prepare/report.json").read_text())["made"])
    made = traced(name)
    assert [row["origin"] for row in made["rows"]] == [name]
    assert [row["origin"] for row in made["parents"]] == made["rows"][0]["parents"]
    assert len(made["parents"]) == 2
    parent = traced(made["parents"][0]["origin"])
    assert [row["origin"] for row in parent["made"]] == [name]
    assert parent["rows"][0]["split"] == "train"
    assert parent["rows"][0]["messages"][0]["content"].startswith("say ")
    shown = sevenfold("trace", "small", name)
    assert shown.code == 0
    assert "made of" in shown.out + shown.err


def test_a_dropped_row_says_why(prepared):
    assert traced("rows.jsonl:41")["dropped"][0]["reason"] == "unreadable"
    assert traced("rows.jsonl:42")["dropped"][0]["reason"] == "empty_reply"


def test_an_origin_that_is_none_is_refused_with_some_that_are(prepared):
    called = sevenfold("trace", "small", "rows.jsonl:99", "--json")
    assert called.code == 2
    assert "no row of the dataset stands at 'rows.jsonl:99'" in called.out
    assert "rows.jsonl:" in json.dumps(called.json["alternatives"])


def test_a_run_without_a_dataset_is_refused(prepared):
    Path("runs/small/1-prepare/result.json").unlink()
    called = sevenfold("trace", "small", "rows.jsonl:1")
    assert called.code == 2
    assert "no prepared dataset" in called.err
