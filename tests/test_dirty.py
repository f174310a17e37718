"""The recipe for dirty data: what was planted is found, and what is clean stays as it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

RECIPES = Path("recipes/dirty").resolve()
MOST_OTHERS = {"near-duplicate": 8, "leak": 3}
"""Rows that are so without being planted: the translators wrote them twice."""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, dict]:
    """Each defect's line of the comparison."""
    folder = tmp_path_factory.mktemp("dirty")
    environment = {"PATH": "", "HOME": str(folder), "MESSAGES": "sqlite:///dirty-data/django.sqlite"}

    def run(*words: str) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    run(str(RECIPES / "make.py"), "dirty-data")
    run(str(RECIPES / "make.py"), "clean-data", "--clean")
    recipe = yaml.safe_load((RECIPES / "recipe.yaml").read_text(encoding="utf-8"))
    for name, data in (("dirty", "dirty-data"), ("clean", "clean-data")):
        text = yaml.safe_dump({**recipe, "name": name}, allow_unicode=True)
        (folder / f"{name}.yaml").write_text(text.replace("- dirty-data/", f"- {data}/"), encoding="utf-8")
        environment["MESSAGES"] = f"sqlite:///{data}/django.sqlite"
        run("-c", "from sevenfold.cli import main; main()", "prepare", f"{name}.yaml")
    lines = run(str(RECIPES / "check.py"), "dirty-data", "runs/dirty", "runs/clean", "--json")
    return {line["name"]: line for line in json.loads(lines)}


@pytest.mark.parametrize(
    "name",
    ["mojibake", "html", "arabic letters", "white space", "repeated opening", "empty reply", "missing value", "junk"]
    + ["too long", "duplicate", "near-duplicate", "leak", "harmful", "other language", "unreadable"]
    + [f"personal: {kind}" for kind in ("email", "phone", "card", "national_id", "iban")],
)
def test_what_was_planted_is_found(found, name):
    line = found[name]
    assert line["planted"] > 3
    assert line["found"] >= line["planted"] - line["lost"]
    assert line["others"] <= MOST_OTHERS.get(name, 0)


def test_rows_without_a_defect_end_as_they_were(found):
    line = found["no defect"]
    assert line["planted"] > 300
    assert line["found"] == line["planted"]
