"""A dataset's identity, and what became of the one before: planted changes are counted, each as what it is."""

from __future__ import annotations

import json
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.prepare.stage import prepare
from sevenfold.prepare.version import VERSION_FILE, Content, compare, content_of
from sevenfold.record import Entry, StageRecord, history, set_aside
from tests.prepare.conftest import section_of

SPLIT = {"validation": 0.2, "test": 0.2}


def rows_of(count: int) -> list[dict[str, str]]:
    return [{"prompt": f"What is {n}?", "completion": f"It is {n}."} for n in range(count)]


def version(done) -> dict:
    return json.loads((done.entry.folder / VERSION_FILE).read_text(encoding="utf-8"))


def test_the_order_and_the_files_of_rows_do_not_change_the_identity(run, write_rows):
    rows = rows_of(60)
    first = run(source=write_rows(rows), split=SPLIT, folder="a")
    random.Random(1).shuffle(rows)
    both = [write_rows(rows[:25], "z.jsonl"), write_rows(rows[25:], "b.jsonl")]
    second = run(source=both, split=SPLIT, folder="b")
    assert version(first) == version(second) == {"content": content_of(first.dataset), "parent": None}
    assert first.entry.record.metrics["content"] == content_of(first.dataset)


def test_a_letter_a_field_a_side_and_a_second_copy_change_it(run, write_rows):
    rows = rows_of(60)
    other = [{**rows[0], "completion": "It is 0!"}, *rows[1:]]
    with_field = [{**row, "note": "a"} for row in rows]
    found = [
        version(run(source=write_rows(given), split={**SPLIT, "seed": seed}, clean=["empty"], folder=str(number)))
        for number, (given, seed) in enumerate(
            [(rows, 17), (other, 17), (with_field, 17), (rows, 18), ([*rows, rows[0]], 17)]
        )
    ]
    assert len({one["content"] for one in found}) == 5


ROWS = st.lists(st.tuples(st.sampled_from(["train", "test"]), st.text(max_size=3)), max_size=12)


@settings(max_examples=30, deadline=None)
@given(ROWS, ROWS, st.randoms())
def test_the_identity_is_that_of_the_rows_as_a_collection(first, second, generator):
    def identity(rows):
        content = Content()
        for side, text in rows:
            content.add(side, Row(Conversation((Message("assistant", text),)), str(generator.random())))
        return str(content)

    def plain(rows):
        return sorted((side, " ".join(text.split())) for side, text in rows)

    assert identity(first) == identity(generator.sample(first, len(first)))
    assert plain(first) != plain(second) or identity(first) == identity(second)


def prepared(folder: Path, source: str, before: str | None, **values) -> tuple[Dataset, Entry]:
    section = section_of(source=source, **values)
    record = StageRecord(name="prepare", identity="", before=before, section=section.model_dump(mode="json"))
    entry = Entry(folder, record=record)
    return prepare(section, entry), entry


def test_planted_changes_are_counted_each_as_what_it_is(write_rows, tmp_path):
    rows = rows_of(100)
    folder = tmp_path / "1-prepare"
    before, entry = prepared(folder, write_rows(rows), None, split=SPLIT)
    parent = content_of(before)
    (folder / "stage.json").write_text(entry.record.model_dump_json())
    set_aside(folder, "a" * 64)
    changed = {3, 20, 41}
    later = [{**row, "completion": "Other words."} if n in changed else row for n, row in enumerate(rows)]
    later += [{"prompt": f"And {n}?", "completion": "New."} for n in range(7)]
    del later[95:100]
    after, entry = prepared(folder, write_rows(later), "a" * 64, split=SPLIT, limit=200)
    found = json.loads((folder / VERSION_FILE).read_text(encoding="utf-8"))
    assert found["content"] == content_of(after) != parent
    assert (found["parent"], found["folder"]) == (parent, f"history/{history(folder, 'a' * 64).name}")
    # The seven new rows stand from line 96 on, where five stood that are gone: those places say something else now.
    assert found["rows"] == {
        "before": 100,
        "after": 102,
        "kept": 92,
        "added": 2,
        "removed": 0,
        "changed": 8,
        "moved": 0,
    }
    assert found["settings"] == {"limit": [None, 200]}
    example = next(one for one in found["examples"]["changed"] if one["origin"].endswith(":4"))
    assert (example["text"], example["before"]) == ("What is 3?\nOther words.", "What is 3?\nIt is 3.")
    assert any("2 rows added, 0 removed, 8 changed, 0 on another side" in note for note in entry.record.notes)


def test_rows_that_went_and_rows_that_changed_sides(run, write_rows):
    rows = rows_of(100)
    first = run(source=write_rows(rows), split=SPLIT, folder="a").dataset
    second = run(source=write_rows(rows[:-10]), split={**SPLIT, "seed": 3}, folder="b").dataset
    found = compare(first, second)
    sides = [
        {row.conversation: side for side in ("train", "validation", "test") for row in dataset.rows(side)}
        for dataset in (first, second)
    ]
    moved = sum(sides[0][conversation] != side for conversation, side in sides[1].items())
    assert found["rows"] == {
        "before": 100,
        "after": 90,
        "kept": 90,
        "added": 0,
        "removed": 10,
        "changed": 0,
        "moved": moved,
    }
    assert len(found["examples"]["removed"]) == 10
    assert all(int(one["origin"].split(":")[-1]) > 90 for one in found["examples"]["removed"])


def test_copies_are_counted(run, write_rows):
    rows = rows_of(10)
    first = run(source=write_rows(rows, "a.jsonl"), clean=["empty"], folder="a").dataset
    second = run(source=write_rows([*rows, rows[0], rows[0]], "a.jsonl"), clean=["empty"], folder="b").dataset
    counts = compare(first, second)["rows"]
    assert (counts["kept"], counts["added"], counts["removed"]) == (10, 2, 0)
    assert compare(second, second)["rows"]["kept"] == 12
