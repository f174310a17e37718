"""The datasets of a run, listed and put back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.whole import sevenfold, write_recipe, write_rows

RUN = Path("runs/small")


@pytest.fixture
def prepared(tmp_path, monkeypatch) -> Path:
    """A run whose dataset was prepared twice: with another split, then with ten more rows."""
    monkeypatch.chdir(tmp_path)
    write_rows(Path("rows.jsonl"), 40)
    write_recipe(tmp_path, tmp_path)
    assert sevenfold("prepare", "small.yaml").code == 0
    assert sevenfold("prepare", "small.yaml", "--set", "prepare.split.test=9").code == 0
    return tmp_path


def listed() -> list[dict]:
    return json.loads(sevenfold("versions", "small", "--json").out)["versions"]


def test_the_versions_of_a_run_and_what_changed(prepared) -> None:
    first, second = listed()
    assert (first["current"], second["current"]) == (False, True)
    assert (first["parent"], second["parent"]) == (None, first["content"])
    assert (second["rows"]["kept"], second["rows"]["moved"]) == (40, 3)
    assert second["settings"]["split"][1]["test"] == 9
    assert first["folder"].endswith(second["parent_folder"])
    shown = sevenfold("versions", "small")
    assert shown.code == 0
    assert first["content"][:12] in shown.err + shown.out
    assert "3 moved" in shown.err + shown.out


def test_an_earlier_dataset_is_put_back_with_its_section_and_reused(prepared) -> None:
    first, second = listed()
    called = sevenfold("restore", "small", first["content"][:8], "--json")
    assert called.code == 0, called.err
    assert json.loads(called.out)["reused"]
    assert json.loads((RUN / "1-prepare" / "result.json").read_text())["counts"]["test"] == 6
    assert yaml.safe_load((RUN / "recipe.yaml").read_text())["prepare"]["split"]["test"] == 6
    assert [version["current"] for version in listed()] == [True, False]
    assert "done before, reused" in sevenfold("prepare", "small").err
    assert sevenfold("restore", "small", second["content"]).code == 0
    assert json.loads((RUN / "1-prepare" / "result.json").read_text())["counts"]["test"] == 9


def test_it_is_said_when_the_sources_have_changed_since(prepared) -> None:
    write_rows(Path("rows.jsonl"), 50)
    first, _ = listed()
    called = sevenfold("restore", "small", first["content"])
    assert called.code == 0
    assert "the next run would prepare anew" in " ".join(called.err.split())


def test_a_version_that_is_not_there_or_not_one_is_refused(prepared) -> None:
    first, second = listed()
    called = sevenfold("restore", "small", "nothing")
    assert called.code == 2
    assert first["content"][:12] in called.err
    assert second["content"][:12] in called.err
    assert "sevenfold versions small" in called.err
    assert "no dataset" in sevenfold("restore", "small", "").err
