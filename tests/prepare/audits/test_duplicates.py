"""Rows in two splits: none after an honest split; planted ones are found."""

from __future__ import annotations

import hashlib

from sevenfold.prepare.audits.duplicates import Duplicates
from sevenfold.prepare.dataset import Dataset
from sevenfold.prepare.shelf import row_writer
from sevenfold.prepare.work import Work

STORY = "once upon a time in the town number {} a fox met the goose that lived behind the mill and asked for water"


def test_an_honest_split_has_none(audit):
    words = [hashlib.sha256(str(n).encode()).hexdigest()[:6] for n in range(2000)]
    stories = [" ".join(words[20 * n : 20 * n + 20]) for n in range(50)]
    rows = [{"prompt": f"{stories[n % 50]} {'again' * (n // 50)}", "completion": "the end"} for n in range(100)]
    found = audit(rows, "duplicates", split={"validation": 0.2, "test": 0.2}, near_duplicates={"drop": False})
    assert found["figures"] == {
        "rows": 100,
        "equal_across_splits": 0,
        "asked_across_splits": 0,
        "near_across_splits": 0,
    }
    assert not found["advice"]


def test_planted_rows_are_found_by_how_they_meet(run, write_rows, tmp_path):
    planted = {
        "train": [(f"question {n} about the weather", f"reply {n}") for n in range(20)] + [(STORY.format(1), "yes")],
        "validation": [("question 3 about the weather", "reply 3"), ("question 4 about the weather", "other")],
        "test": [(f"{STORY.format(1)} today", "yes"), ("nothing like the others at all", "no")],
    }
    done = run(source=write_rows([{"prompt": "p", "completion": "c"}]), audits=[])
    folder = done.entry.folder
    for split, pairs in planted.items():
        rows = [{"prompt": prompt, "completion": reply} for prompt, reply in pairs]
        other = run(f"of-{split}", source=write_rows(rows, f"{split}.jsonl"), clean=[], audits=[])
        with row_writer(folder / f"{split}.arrow") as keep:
            for row in other.dataset.rows("train"):
                keep(row)
    dataset = Dataset(counts={split: len(pairs) for split, pairs in planted.items()}).at(folder)
    work = Work("duplicates", 1, folder, done.entry.console, print, print, print)
    found = Duplicates().examine(dataset, work)
    assert found.figures["equal_across_splits"] == 1
    assert found.figures["asked_across_splits"] == 2
    assert found.figures["near_across_splits"] >= 1
    hows = {line[0]: line[2] for line in found.tables[0].lines}
    assert hows["the same"].startswith("validation: ")
    assert any(line[0] == "nearly the same" and line[2].startswith("test: ") for line in found.tables[0].lines)
    assert found.advice
    assert not (folder / ".audit-duplicates.arrow").exists()
