"""The change ``select``: as many rows as asked for, of each label its share, the others told."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy
import pytest

from sevenfold.prepare.training.select import evenly

COMMON, RARE = 60, 20


@pytest.fixture
def rows(write_rows):
    colours = [{"text": f"the colour number {n} is blue or red", "label": "colour"} for n in range(COMMON)]
    numbers = [{"text": f"{n} and {n + 1} are {2 * n + 1}", "label": "sum"} for n in range(RARE)]
    return write_rows(colours + numbers)


@pytest.mark.parametrize("by", ["deft", "influence", "effort", "error_potential", "diverse", "random"])
def test_each_label_keeps_its_share(run, rows, by):
    found = run(source=rows, training=[{"select": {"by": by, "share": 0.25, "label": "reply", "vectors": "ngrams"}}])
    kept = Counter(row.conversation.reference() for row in found.rows("train"))
    assert kept == {"colour": COMMON // 4, "sum": RARE // 4}
    assert found.report["dropped"] == {"not_selected": 60}
    assert len(found.dropped) == 60
    assert found.report["training"][0]["figures"] == {"kept": 20, "left_out": 60, "by": by}


def test_free_replies_need_no_label(run, write_rows):
    rows = write_rows([{"prompt": f"say {n}", "completion": f"it is {n}"} for n in range(40)])
    found = run(source=rows, training=[{"select": {"share": 0.5, "vectors": "ngrams"}}])
    again = run("again", source=rows, training=[{"select": {"share": 0.5, "vectors": "ngrams"}}])
    assert len(found.rows("train")) == 20
    assert found.rows("train") == again.rows("train")


def test_strata_are_represented_evenly():
    scores = numpy.array([0.0] * 50 + [1.0] * 45 + [2.0] * 5)
    found = evenly(range(100), scores, 35, 3, Random(1))
    assert Counter(scores[row] for row in found) == {0.0: 15, 1.0: 15, 2.0: 5}
    assert evenly(range(100), scores, 7, 1, Random(1)) == {95, 96, 97, 98, 99, 50, 51}
