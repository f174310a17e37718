"""Changes of the training rows: each from one file into the next, counted, and never of what is held out."""

from __future__ import annotations

import json

import pytest

from sevenfold.errors import DataError

CHANGE = '''
from dataclasses import replace
from sevenfold.chat.conversation import Conversation
from sevenfold.findings import Findings
from sevenfold.prepare.training import Change

class Mirrored(Change):
    """Every reply reversed, and rows that hold a word dropped."""
    word: str = "bad"
    copies: bool = True
    def rows(self, shelf, work):
        for row in shelf:
            if self.word in row.conversation.reference():
                work.drop(row, "unwanted")
                continue
            yield row
            if self.copies:
                asked, reply = row.conversation.messages
                messages = (asked, replace(reply, content=reply.content[::-1]))
                yield work.make(Conversation(messages), [row], row.fields)
        return Findings("Mirrored", f"{work.made} rows were mirrored.", {"made": work.made})
'''
AUDIT = '''
from sevenfold.prepare.audits import Audit
from sevenfold.findings import Findings

class Counted(Audit):
    """Counts."""
    def examine(self, dataset, work):
        return Findings("Counted", "all", {split: sum(1 for _ in dataset.rows(split)) for split in dataset.counts})
'''


@pytest.fixture
def rows(write_rows):
    return write_rows(
        [{"prompt": f"question {n}", "completion": f"answer {n}" + " bad" * (n % 10 == 0)} for n in range(200)]
    )


def test_training_rows_change_and_no_others(run, rows, write):
    """What comes in and is made is what goes out and is dropped; made rows name what they are made of."""
    change = {"file": write("mirrored.py", CHANGE)}
    split = {"validation": 20, "test": 20}
    plain = run("plain", source=rows, split=split)
    found = run(source=rows, split=split, training=[change], audits=[{"file": write("counted.py", AUDIT)}])
    assert found.rows("validation", "test") == plain.rows("validation", "test")
    report = found.report
    dropped = sum("bad" in row.conversation.reference() for row in plain.rows("train"))
    assert dropped > 5
    assert report["dropped"] == {"unwanted": dropped}
    assert report["made"] == {"mirrored": 160 - dropped}
    assert report["rows_in"] + 160 - dropped == report["rows"] + dropped == sum(found.dataset.counts.values()) + dropped
    assert [line["reason"] for line in found.dropped] == ["unwanted"] * dropped
    assert report["training"][0]["figures"] == {"made": 160 - dropped}
    assert report["audits"][0]["figures"] == {**report["splits"]}
    origins = {row.origin: row for row in plain.rows("train")}
    made = [row for row in found.rows("train") if row.made_by]
    assert [row.origin for row in made] == [f"mirrored:{n}" for n in range(1, 161 - dropped)]
    for row in made:
        assert origins[row.parents[0]].conversation.reference() == row.conversation.reference()[::-1]
    assert not list(found.entry.folder.glob(".*"))


def test_rows_made_of_made_rows_name_rows_of_the_source(run, rows, write):
    """The second change of a name has a name of its own."""
    change = write("mirrored.py", CHANGE)
    found = run(source=rows, training=[{"file": change}, {"file": change}])
    assert list(found.report["made"]) == ["mirrored", "mirrored-2"]
    twice = [row for row in found.rows("train") if row.made_by == "mirrored-2"]
    assert all(len(row.parents) == 1 and row.parents[0].startswith(rows) for row in twice)
    assert len({row.origin for row in found.rows("train")}) == len(found.rows("train"))


def test_a_change_that_leaves_nothing_is_an_error(run, rows, write):
    path = write("mirrored.py", CHANGE.replace('= "bad"', '= "answer"'))
    with pytest.raises(DataError, match="leaves no training row"):
        run(source=rows, training=[{"file": path}])


def test_the_result_is_the_same_again(run, rows, write):
    change = {"file": write("mirrored.py", CHANGE)}
    one, other = run("one", source=rows, training=[change]), run("other", source=rows, training=[change])
    version = [json.loads((each.entry.folder / "version.json").read_text()) for each in (one, other)]
    assert version[0]["content"] == version[1]["content"]
