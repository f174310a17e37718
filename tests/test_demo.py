"""The demo on the real model: what the README promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROOFS = {"mask", "tokens", "packing", "accumulation", "resume", "merge", "export"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_demo_is_better_than_its_base_and_proved(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("sevenfold")), "run", "recipes/demo.yaml", "--runs", str(tmp_path)]
    ended = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout)
    assert {proof["name"] for proof in found["proofs"] if proof["passed"]} == PROOFS
    assert all(proof["passed"] for proof in found["proofs"])
    metrics = found["stages"]["evaluate"]["metrics"]
    assert metrics["loss"]["better"] == metrics["rouge_l"]["better"] == "yes"
    assert metrics["loss"]["interval"][1] < 0 < metrics["rouge_l"]["interval"][0]
    page = (tmp_path / "demo" / "report.html").read_text()
    assert "<svg" in page
    assert "http" not in page.split("<body")[0]
