"""Rows are withdrawn by origin, with what was made of them; counted, and gone from every file of the stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sevenfold.prepare.withdraw import fits, made_of

ROWS = [{"prompt": f"What is {n}?", "completion": f"It is {n}."} for n in range(30)]


@pytest.mark.parametrize(
    ("pattern", "origin", "meant"),
    [
        ("rows.jsonl:7", "rows.jsonl:7", True),
        ("rows.jsonl:7", "rows.jsonl:70", False),
        ("rows.jsonl", "rows.jsonl:70", True),
        ("rows", "rows.jsonl:70", False),
        ("data", "data/a.csv:3", True),
        ("data/", "data/a.csv:3", True),
        ("data/*.csv", "data/a.csv:3", True),
        ("data/*.csv", "data/a.csvx:3", False),
        ("data/*.csv:*", "data/a.csv:3", True),
        ("*/a.csv:?", "data/a.csv:3", True),
        ("book.xlsx:Sheet1", "book.xlsx:Sheet1!7", True),
        ("https://a.example/page", "https://a.example/page#page 2", True),
        ("$DATABASE_URL", "$DATABASE_URL:row 7", True),
    ],
)
def test_what_a_pattern_means(pattern, origin, meant):
    assert fits(pattern, origin) is meant


def test_rows_of_a_line_and_of_a_file_are_taken_out_and_nothing_of_them_stays(run, write_rows):
    first, second = write_rows(ROWS[:20], "a.jsonl"), write_rows(ROWS[20:], "b.jsonl")
    done = run(source=[first, second], withdraw=[f"{first}:3", second, "nowhere.jsonl"])
    assert done.report["dropped"] == {"withdrawn": 11}
    assert done.report["rows_in"] == 30
    assert len(done.rows()) == 19
    assert {line["origin"] for line in done.dropped} == {f"{first}:3", *(f"{second}:{n}" for n in range(1, 11))}
    for path in Path(done.entry.folder).iterdir():
        assert b"What is 2?" not in path.read_bytes()
        assert b"What is 25?" not in path.read_bytes()
    notes = done.entry.record.notes
    assert f"withdrawn: 10 rows of {second}" in notes
    assert any("'nowhere.jsonl' matches no row" in note for note in notes if note.startswith("warning"))


def test_rows_made_earlier_keep_what_they_were_made_of_and_go_with_it(run, write_rows):
    made = [
        {"prompt": "p1", "completion": "c1", "made_by": "synthesise", "parents": ["seed.jsonl:1", "seed.jsonl:2"]},
        {"prompt": "p2", "completion": "c2", "made_by": "synthesise", "parents": '["seed.jsonl:3"]'},
        {"prompt": "p3", "completion": "c3", "made_by": "augment", "parents": "seed.jsonl:4"},
        {"prompt": "p4", "completion": "c4", "made_by": "", "parents": []},
    ]
    path = write_rows(made)
    rows = run(source=path).rows()
    assert [(row.made_by, row.parents) for row in rows] == [
        ("synthesise", ("seed.jsonl:1", "seed.jsonl:2")),
        ("synthesise", ("seed.jsonl:3",)),
        ("augment", ("seed.jsonl:4",)),
        ("", ()),
    ]
    assert all("made_by" not in row.fields for row in rows[:3])
    done = run(source=path, withdraw=["seed.jsonl:2", "seed.jsonl:4"], folder="less")
    assert [row.conversation.messages[0].content for row in done.rows()] == ["p2", "p4"]
    assert done.report["dropped"] == {"withdrawn": 2}


def test_a_family_tree_is_no_provenance():
    assert made_of({"parents": ["Ann", "Bob"]}) is None
    assert made_of({"made_by": "x", "parents": json.dumps(["a:1"])}) == ("x", ("a:1",))


def test_rows_made_of_a_withdrawn_row_are_not_made_again(run, write_rows, tmp_path):
    change = tmp_path / "twice.py"
    change.write_text(
        "from sevenfold.prepare.training import Change\n"
        "from sevenfold.findings import Findings\n"
        "class Twice(Change):\n"
        "    def rows(self, shelf, work):\n"
        "        for row in shelf:\n"
        "            yield row\n"
        "            yield work.make(row.conversation, [row], row.fields)\n"
        "        return Findings('twice', 'All rows twice.')\n"
    )
    path = write_rows(ROWS)
    done = run(source=path, withdraw=[f"{path}:5"], training=[{"file": str(change)}])
    assert len(done.rows()) == 58
    assert all(f"{path}:5" not in (row.origin, *row.parents) for row in done.rows())


def test_earlier_datasets_that_still_have_the_rows_are_named(run, write_rows, tmp_path):
    earlier = tmp_path / "history" / "1-prepare-abc"
    earlier.mkdir(parents=True)
    path = write_rows(ROWS)
    notes = run(source=path, withdraw=[f"{path}:1"]).entry.record.notes
    assert any(str(earlier) in note for note in notes if note.startswith("warning"))
    assert not any(str(earlier) in note for note in run(source=path).entry.record.notes)
