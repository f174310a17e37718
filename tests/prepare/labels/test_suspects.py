"""Wrong labels: planted at known rows of real terms, found and counted, and dropped, corrected or put to a person."""

from __future__ import annotations

from random import Random

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.labels.review import Asked, read_review
from tests.prepare.labels.terms import terms


@pytest.fixture(scope="module")
def planted():
    """Currencies and territories in two columns, 25 of them with the other's label; and which."""
    kept = [(name, kind) for name, kind in terms() if kind in ("currency", "territory")]
    wrong = set(Random(3).sample(range(len(kept)), 25))
    other = {"currency": "territory", "territory": "currency"}
    rows = [{"text": name, "label": other[kind] if n in wrong else kind} for n, (name, kind) in enumerate(kept)]
    return rows, {rows[n]["text"] for n in wrong}


FIELDS = {"vectors": "ngrams"}


def test_planted_errors_are_found(run, write_rows, planted):
    """On names of one or two words by their characters: 14 of 25, and 36 of 574 right rows beside them."""
    rows, wrong = planted
    found = run(source=write_rows(rows), clean=[], audits=[{"label_issues": FIELDS}]).report["audits"][0]
    named = {line[4] for line in found["tables"][0]["lines"]}
    assert len(named & wrong) >= 13
    assert found["figures"]["suspected"] <= 55


@pytest.mark.slow
def test_embeddings_find_more_with_fewer_false_alarms(run, write_rows, planted):
    """17 of 25 found and 2 of 574 right rows beside them, where characters find 14 with 36."""
    rows, wrong = planted
    found = run(source=write_rows(rows), clean=[], audits=[{"label_issues": {"vectors": "e5"}}]).report["audits"][0]
    named = {line[4] for line in found["tables"][0]["lines"]}
    assert len(named & wrong) >= 16
    assert found["figures"]["suspected"] - len(named & wrong) <= 4


def test_the_change_drops_corrects_or_asks(run, write_rows, planted):
    rows, _ = planted
    source = write_rows(rows)
    dropped = run("drop", source=source, clean=[], training=[{"label_issues": FIELDS}])
    count = dropped.report["training"][0]["figures"]["suspected"]
    assert dropped.report["dropped"] == {"mislabelled": count}
    again = run("relabel", source=source, clean=[], training=[{"label_issues": {**FIELDS, "do": "relabel"}}])
    changed = [row for row in again.rows("train") if "label_before" in row.fields]
    assert len(changed) == count
    assert all(row.fields["label_before"] != row.conversation.reference() for row in changed)
    asked = run("queue", source=source, clean=[], training=[{"label_issues": {**FIELDS, "do": "queue"}}])
    assert len(asked.rows("train")) == len(rows)
    queue = read_review(asked.entry.folder / "label_issues" / "review.jsonl", Asked())
    assert len(queue.items) == count
    assert queue.labels == ["currency", "territory"]


def test_too_few_rows_of_a_label_are_an_error(run, write_rows):
    source = write_rows([{"text": f"a {n}", "label": "x" if n else "y"} for n in range(20)])
    with pytest.raises(DataError, match="too few rows of a label"):
        run(source=source, audits=[{"label_issues": FIELDS}])
