"""The benchmark of evaluation: both contestants on a tiny model give the same figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lm_eval")
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "evaluation_lm_eval.py"


@pytest.mark.slow
def test_both_give_the_same_figures(tiny_weights):
    words = ["--model", str(tiny_weights), "--tasks", "fa_countries,fa_numbers", "--limit", "4", "--rounds", "1"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words, "--threads", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["task"] for line in lines] == ["fa_countries", "fa_numbers"]
    for line in lines:
        assert line["same"]
        assert line["ratio"] > 0
        assert line["figures"]
