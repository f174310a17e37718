"""The script that writes a run's figures into the documents."""

from __future__ import annotations

import shutil

import pytest

from docs import figures
from sevenfold.record import Record
from tests.docs import blocks


@pytest.fixture
def filled(workplace, tmp_path):
    """Copies of the documents with the figures of the tutorial's run."""
    (tmp_path / "docs").mkdir()
    for name in figures.DOCUMENTS:
        shutil.copy(blocks.ROOT / name, tmp_path / name)
    run = workplace.folder / "runs" / "tickets"
    figures.main(run, tmp_path)
    return tmp_path, Record.open(run).stages


def test_every_figure_is_the_records(filled):
    root, stages = filled
    text = (root / "README.md").read_text(encoding="utf-8")
    for name, metric in stages["evaluate"].metrics["metrics"].items():
        assert f"| {name} | {metric['base']:.4g} | {metric['tuned']:.4g} |" in text
    assert f"{stages['tune'].metrics['tokens_per_second']:.0f} tokens/s" in text
    for proof in (proof for stage in stages.values() for proof in stage.proofs):
        assert f"{proof['figure']:.2g} | {proof['limit']:g} | {proof['unit']} | {proof['what']}" in text


def test_filling_twice_changes_nothing(filled, workplace):
    root, _ = filled
    once = (root / "README.md").read_text(encoding="utf-8")
    figures.main(workplace.folder / "runs" / "tickets", root)
    assert (root / "README.md").read_text(encoding="utf-8") == once
    assert once.count("<!-- demo:end -->") == 1


def test_the_documents_hold_figures():
    for name in figures.DOCUMENTS:
        text = (blocks.ROOT / name).read_text(encoding="utf-8")
        for part in ("demo", "proofs"):
            begin, end = f"<!-- {part}:begin -->", f"<!-- {part}:end -->"
            assert text.count(begin) == text.count(end)
            if begin in text:
                assert len(text.partition(begin)[2].partition(end)[0].splitlines()) > 5, f"{name}: run docs/figures.py"
