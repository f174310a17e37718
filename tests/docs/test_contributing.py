"""The smallest addition works as CONTRIBUTING.md says: two files, nothing else touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import blocks

SKIPPED = shutil.ignore_patterns("__pycache__", "*.egg-info", "docs")


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the code and the tests with the two files of the example."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("src", "tests"):
        shutil.copytree(blocks.ROOT / name, root / name, ignore=SKIPPED)
    shutil.copy(blocks.ROOT / "pyproject.toml", root)
    for block in filter(lambda block: block.is_file, blocks.read(blocks.named("CONTRIBUTING.md"))):
        path = root / block.title
        assert not path.exists()
        path.write_text(block.text, encoding="utf-8")
    return root


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in the copy, on the copy's code."""
    surroundings = {**os.environ, "PYTHONPATH": f"{root / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-m", *words], cwd=root, capture_output=True, text=True, env=surroundings)


def test_the_metrics_tests_pass_with_the_new_one_among_them(copy):
    done = run(copy, "pytest", "-p", "no:cacheprovider", "tests/evaluate/metrics")
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_recipe_and_the_schema_know_it(copy):
    source = (
        "from sevenfold.recipe import Recipe; import json, sevenfold;"
        "r = Recipe.build({'name': 'a', 'prepare': {'source': 'r.jsonl'}, 'evaluate': {'metrics': ['prefix']}});"
        "print(type(r.evaluate.metrics[0]).__name__, 'ignore_case' in json.dumps(Recipe.model_json_schema()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{copy / 'src'}"},
    )
    assert done.stdout.split() == ["Prefix", "True"], done.stderr


def test_its_files_pass_the_checks(copy):
    files = [block.title for block in blocks.read(blocks.named("CONTRIBUTING.md")) if block.is_file]
    for words in (["check"], ["format", "--check"]):
        done = run(copy, "ruff", *words, "--no-cache", *files)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_works_from_an_entry_point_too(copy, tmp_path):
    """A package of its own, as pip would lay it out, brings the metric by its name."""
    (tmp_path / "other.py").write_text((copy / "src/sevenfold/evaluate/metrics/prefix.py").read_text("utf-8"), "utf-8")
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[sevenfold.evaluate.metrics]\nbeginning = other:Prefix\n", encoding="utf-8")
    source = "from sevenfold.evaluate.section import EvaluateSection as E; print(E(metrics=['beginning']).metrics)"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    assert "Prefix" in done.stdout, done.stderr
