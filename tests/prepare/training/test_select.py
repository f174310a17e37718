"""Select: a share of the training rows stays, every other is told."""

from __future__ import annotations

from collections import Counter

import pytest

from sevenfold.prepare.selection import WAYS

VECTORS = {"ngrams": {"width": 64}}
NAMES = ["deft", "diverse", "effort", "error_potential", "influence", "perplexity", "random"]


@pytest.fixture
def rows(write_rows):
    words = ["apple pear plum", "hammer chisel drill", "red green blue", "cat dog mouse"]
    return write_rows([{"prompt": f"{words[n % 4]} {n}", "completion": words[n % 4].split()[0]} for n in range(200)])


def test_all_ways_are_known():
    assert sorted(WAYS.names()) == sorted([*NAMES, "scores"])


@pytest.mark.parametrize("way", NAMES)
def test_half_of_each_label_stays(run, rows, way):
    split = {"validation": 20, "test": 20}
    plain = run("plain", source=rows, split=split)
    found = run(source=rows, split=split, training=[{"select": {"by": way, "share": 0.5, "vectors": VECTORS}}])
    before = Counter(row.conversation.reference() for row in plain.rows("train"))
    after = Counter(row.conversation.reference() for row in found.rows("train"))
    assert after.total() == 80
    assert all(abs(after[label] - before[label] / 2) <= 1 for label in before)
    assert found.rows("validation", "test") == plain.rows("validation", "test")
    assert found.report["dropped"] == {"not_selected": 80}
    assert len(found.dropped) == 80
    told = found.report["training"][0]
    assert told["figures"]["kept"] == 80
    assert sum(told["charts"][0]["values"]) == 160
    assert sum(told["charts"][1]["values"]) == 80
    assert [table["title"] for table in told["tables"]] == ["The highest scores", "The lowest scores", "By label"]
    again = run("again", source=rows, split=split, training=[{"select": {"by": way, "vectors": VECTORS}}])
    assert again.rows("train") == found.rows("train")
