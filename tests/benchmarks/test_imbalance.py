"""The benchmark of imbalance: its rows, what it keeps, and its words."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from sevenfold.prepare.section import PrepareSection
from sevenfold.tune.section import TuneSection

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import imbalance  # noqa: E402 (a script's folder, which is on the path when it runs)
import imbalance_report as report  # noqa: E402


def test_its_rows_are_of_natural_imbalance(tmp_path) -> None:
    counts = imbalance.write_rows(tmp_path / "rows.jsonl")
    assert set(counts) == set(report.LABELS)
    assert sum(counts.values()) >= 1500
    assert max(counts.values()) > 25 * min(counts.values())
    rare = [counts[label] / sum(counts.values()) for label in report.LABELS[report.COMMON :]]
    assert max(rare) < 0.03 < min(counts[label] / sum(counts.values()) for label in report.LABELS[: report.COMMON])


def test_every_way_is_a_recipe() -> None:
    for way in imbalance.ways().values():
        PrepareSection(source="rows.jsonl", training=way.training)
        objective = {"classify": {"labels": report.LABELS, **way.objective}}
        TuneSection.model_validate({"objective": objective, **imbalance.TUNE, **way.tune})


def test_probabilities_are_kept_to_a_hundredth_of_themselves() -> None:
    probs = [1e-5, 0.003, 0.1, 0.5, 0.9, 0.999, 1e-4, 0.25, 0.75]
    (found,) = report.unpacked("".join(map(report.packed, probs)))
    assert [found[label] for label in report.LABELS] == pytest.approx(probs, rel=0.011)
    assert report.packed(0.0) <= report.packed(1e-7)


def run(right: float, seed: int) -> dict:
    """A run that is right in a share of its rows."""
    rng = np.random.default_rng(seed)
    true = rng.choice(9, 300, p=[0.5, 0.2, 0.12, *[0.03] * 6])
    said = np.where(rng.random(300) < right, true, 0)
    probs = [report.packed(0.9 if label == one else 0.01) for one in said for label in range(9)]
    return {
        "true": "".join(map(str, true)),
        "said": "".join(map(str, said)),
        "probs": "".join(probs),
        "train": dict.fromkeys(report.LABELS, 1),
        "asked": {"tune": imbalance.TUNE},
    }


def test_the_page_says_what_helped_and_what_did_not(tmp_path) -> None:
    shares = {"nothing": 0.5, "better": 0.9, "worse": 0.1, "same": 0.5}
    kept = {
        "machine": "a machine",
        "runs": {name: {str(seed): run(share, seed) for seed in (1, 2)} for name, share in shares.items()},
    }
    page = tmp_path / "imbalance.md"
    (tmp_path / "images").mkdir()
    page.write_text("# Rare\n<!-- ways:begin --><!-- ways:end -->\nafter\n", encoding="utf-8")
    report.write(kept, page)
    text = page.read_text(encoding="utf-8")
    lines = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if line.startswith("| ")}
    assert lines["better"].count("**helped**") == 2
    assert lines["worse"].count("**hurt**") == 2
    assert lines["same"].count("**unclear** +0.000") == 2
    assert text.endswith("after\n")
    assert (tmp_path / "images" / "imbalance.svg").read_text(encoding="utf-8").startswith("<?xml")
    report.write(kept, page)
    assert page.read_text(encoding="utf-8") == text
