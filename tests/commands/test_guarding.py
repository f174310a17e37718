"""The command ``guard``: texts, rows, figures and heads."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from sevenfold.cli import app
from sevenfold.errors import DataError, RecipeError

ROWS = [("I will kill you", "threat", "en"), ("Good morning", "safe", "en"), ("می‌کشمت", "threat", "fa")]


def told(*words):
    found = CliRunner().invoke(app, ["guard", *map(str, words), "--json"], catch_exceptions=False)
    return json.loads(found.stdout)


def test_a_text():
    found = told("I will kill you", "--guard", "rules")
    assert (found["rows"], found["unsafe"], found["guard"]) == (1, 1, "rules")
    assert found["judgements"][0]["categories"][0]["name"] == "threat"
    assert "quality" not in found


def test_labelled_rows_are_measured(tmp_path):
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps({"text": text, "label": label, "language": code}) for text, label, code in ROWS]
    file.write_text("\n".join(lines), encoding="utf-8")
    found = told(file, "--guard", "{rules: {languages: [en]}}", "--group", "language")["quality"]
    assert found["recall"]["value"] == 0.5
    assert found["groups"]["fa"]["recall"]["value"] == 0
    assert found["groups"]["en"]["accuracy"]["value"] == 1


def test_the_side_of_the_response_and_csv(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("prompt,response\nHi,I will kill you\nI will kill you,Hi\n", encoding="utf-8")
    found = told(file, "--guard", "rules", "--side", "response")
    assert [one["safe"] for one in found["judgements"]] == [False, True]


def test_a_head_of_ones_own(tmp_path):
    file, head = tmp_path / "rows.jsonl", tmp_path / "head.json"
    rows = [
        ("buy cheap pills now", "spam"),
        ("win money today", "spam"),
        ("see you at noon", "safe"),
        ("thanks", "safe"),
    ]
    file.write_text("\n".join(json.dumps({"text": text, "label": label}) for text, label in rows), encoding="utf-8")
    assert told(file, "--fit", head)["labels"] == ["safe", "spam"]
    assert told("cheap pills, buy now", "--guard", f"{{linear: {head}}}")["unsafe"] == 1


def test_mistakes(tmp_path):
    with pytest.raises(RecipeError, match="no guard 'ruels'"):
        told("x", "--guard", "ruels")
    with pytest.raises(DataError, match="no file"):
        told("nowhere.jsonl")
    file = tmp_path / "rows.jsonl"
    file.write_text('{"label": "safe"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="nothing to judge"):
        told(file)
    file.write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="no JSON"):
        told(file)
