from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sevenfold.errors import DataError, MachineError, RecipeError
from sevenfold.prepare.dataset import Dataset
from sevenfold.prepare.keys import opening_key
from sevenfold.prepare.stage import prepare
from sevenfold.record import Entry
from tests.prepare.conftest import section_of

HELD_OUT = {"validation": 0.2, "test": 0.2}


def pairs(count: int) -> list[dict]:
    return [{"prompt": f"What is {n}?", "completion": f"It is {n}.", "label": "ab"[n % 2]} for n in range(count)]


def test_rows_go_in_and_come_out_in_splits(run, write_rows):
    done = run(source=write_rows(pairs(200)), split=HELD_OUT)
    assert sum(done.dataset.counts.values()) == 200
    assert all(done.dataset.counts[split] == len(done.rows(split)) > 20 for split in ("train", "validation", "test"))
    assert {row.conversation.messages[0].content for row in done.rows()} == {f"What is {n}?" for n in range(200)}
    row = done.dataset.head("train", 1)[0]
    assert row.fields["label"] in "ab"
    assert row.origin.split(":")[0].endswith("rows.jsonl")
    assert Dataset.open(done.entry.folder).counts == done.dataset.counts


def test_the_design_s_split_works_as_it_is_and_is_the_default(run, write_rows):
    path = write_rows(pairs(100))
    given_split = run(source=path, split={"validation": 0.1, "test": 0.1}, folder="a")
    default = run(source=path, split={}, folder="b")
    assert given_split.dataset.counts == default.dataset.counts


def test_nothing_gets_lost(run, write_rows):
    rows = [*pairs(50), *pairs(5), {"prompt": "Hi", "completion": " ", "label": ""}, {**pairs(1)[0], "prompt": None}]
    done = run(source=write_rows(rows), limit=40)
    report = done.report
    assert report["rows_in"] == 57
    assert report["dropped"] == {"duplicate": 5, "empty_reply": 1, "empty_prompt": 1, "over_limit": 10}
    assert report["duplicates"] == 5
    assert report["rows"] == 40 == sum(report["splits"].values())
    assert report["rows_in"] == report["rows"] + sum(report["dropped"].values())
    assert len(done.dropped) == 7
    assert done.entry.record.metrics["rows"] == 40


def test_dropped_rows_are_kept_with_reason_place_and_content(run, write_rows):
    rows = [*pairs(5), {"prompt": "سؤال", "completion": ""}, {"prompt": "x", "completion": "a\ud800"}]
    path = write_rows(rows[:-1])
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(rows[-1]) + "\n")
    first, second = run(source=path).dropped
    assert (first["reason"], first["origin"]) == ("empty_reply", f"{path}:6")
    assert [message["content"] for message in first["messages"]] == ["سؤال", ""]
    assert (second["reason"], second["origin"]) == ("broken_unicode", f"{path}:7")
    assert second["values"]["completion"] == "a\ud800"


def test_exactly_the_rows_without_a_reply_are_named(run, write_rows):
    asked, answered = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}
    rows = [
        [asked, answered],
        [asked],
        [asked, {**answered, "content": ""}],
        [asked, {**answered, "weight": 0}],
        [],
        [asked, answered, asked, {**answered, "content": "Again"}],
    ]
    path = write_rows([{"messages": messages} for messages in rows])
    done = run(source=path)
    assert done.report["no_reply"] == {"rows": 4, "origins": [f"{path}:{line}" for line in (2, 3, 4, 5)]}
    assert done.report["dropped"] == {"no_assistant_turn": 2, "empty_reply": 1, "all_weights_zero": 1}
    assert any("4 rows have no reply" in note and f"{path}:2" in note for note in done.entry.record.notes)


def test_the_format_that_was_found_is_said_with_why(run, write_rows):
    done = run(source=write_rows(pairs(3)))
    assert any(
        "format prompt_completion, found by its columns prompt, completion" in n for n in done.entry.record.notes
    )
    assert done.report["sources"][0]["columns"] == {"read": ["prompt", "completion"], "kept": ["label"], "left": []}


def test_columns_are_mapped_by_name(run, write_rows):
    path = write_rows([{"frage": "Wie?", "antwort": "So."}])
    done = run(source=path, columns={"frage": "prompt", "antwort": "completion"})
    assert done.rows()[0].conversation.reference() == "So."
    with pytest.raises(DataError, match="no column 'fragen'") as caught:
        run(source=path, columns={"fragen": "prompt"})
    assert caught.value.suggestion == "frage"
    assert caught.value.where == f"{path}:1"


def test_several_sources_may_have_several_formats(run, write, write_rows):
    first = write_rows(pairs(2))
    second = write("more.csv", "instruction;output\nSing;La\n")
    done = run(source=[first, second], keep=[])
    assert [facts["format"] for facts in done.report["sources"]] == ["prompt_completion", "alpaca"]
    assert {row.conversation.reference() for row in done.rows()} == {"It is 0.", "It is 1.", "La"}
    assert all(row.fields == {} for row in done.rows())


def test_persian_rows_come_out_as_they_went_in(run, write_rows):
    text = "می‌خواهم کتاب‌هایی را که «نوشته‌اند» بخوانم؛ ۱۲۳۴ مؤلّفِ آن؟"
    done = run(source=write_rows([{"prompt": text, "completion": text[::-1]}]))
    assert done.rows()[0].conversation.messages[0].content == text
    assert done.rows()[0].conversation.reference() == text[::-1]
    assert set(done.report["changed"].values()) == {0}


def test_the_limit_takes_rows_by_content_and_not_the_first(run, write_rows):
    rows = pairs(100)
    kept = {row.conversation.reference() for row in run(source=write_rows(rows), limit=20, folder="a").rows()}
    turned = run(source=write_rows(rows[::-1]), limit=20, folder="b").rows()
    assert {row.conversation.reference() for row in turned} == kept
    assert kept != {f"It is {n}." for n in range(20)}


def test_groups_and_labels_are_reported(run, write_rows):
    rows = [{**row, "module": f"m{n % 20}"} for n, row in enumerate(pairs(200))]
    done = run(source=write_rows(rows), split={**HELD_OUT, "how": {"grouped": "module"}})
    sides = [{row.fields["module"] for row in done.rows(split)} for split in ("train", "validation", "test")]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert sum(done.report["labels"]["m0"].values()) == 10
    assert done.report["split"] == {"how": "grouped", "by": "module", "seed": 17}


def test_a_split_by_a_column_that_is_not_there_is_refused(run, write_rows):
    with pytest.raises(DataError, match="no column 'lable'") as caught:
        run(source=write_rows(pairs(10)), split={"how": {"stratified": "lable"}})
    assert caught.value.suggestion == "label"
    assert "prepare.split.how" in caught.value.next_step


WORDS = st.text(st.sampled_from("ab \nA"), min_size=1, max_size=4)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=40), seed=st.integers(0, 9))
def test_no_question_is_on_two_sides(run, write_rows, rows, seed):
    base = [*pairs(12), *({"prompt": prompt, "completion": reply, "label": ""} for prompt, reply in rows)]
    done = run(source=write_rows(base), split={**HELD_OUT, "seed": seed}, clean=["empty"])
    train, validation, test = (
        {opening_key(row.conversation) for row in done.rows(split)} for split in ("train", "validation", "test")
    )
    assert not train & validation
    assert not train & test
    assert not validation & test


def test_the_order_of_the_rows_does_not_move_them(run, write_rows):
    rows = pairs(100)
    first = run(source=write_rows(rows), split=HELD_OUT, folder="a")
    second = run(source=write_rows(rows[::-1]), split=HELD_OUT, folder="b")
    for split in ("train", "validation", "test"):
        assert {row.conversation for row in first.rows(split)} == {row.conversation for row in second.rows(split)}


def test_lengths_are_those_of_plain_counting(run, write_rows):
    done = run(source=write_rows([{"prompt": "a b", "completion": "c" * n} for n in range(1, 101)]))
    reply, prompt = done.report["characters"]["reply"], done.report["characters"]["prompt"]
    assert (reply["min"], reply["median"], reply["p95"], reply["max"]) == (1, 50.5, pytest.approx(95.05), 100)
    assert sum(reply["histogram"]["counts"]) == 100
    assert len(reply["histogram"]["edges"]) == len(reply["histogram"]["counts"]) + 1
    assert (prompt["min"], prompt["max"]) == (3, 3)
    assert done.report["words"]["prompt"]["median"] == 2
    assert done.report["roles"] == {"user": 100, "assistant": 100}


def test_many_dropped_rows_are_a_warning(run, write_rows):
    done = run(source=write_rows([*pairs(5), *({"prompt": "x", "completion": ""} for _ in range(5))]))
    assert "warning: 5 of 10 rows were dropped; dropped.jsonl says why" in done.entry.record.notes


def test_a_broken_row_is_refused_at_its_line_and_leaves_no_result(run, write_rows, tmp_path):
    path = write_rows([*pairs(3), {"promt": "x", "completion": "y"}])
    with pytest.raises(DataError, match="no column 'prompt'") as caught:
        run(source=path, unreadable=0)
    assert caught.value.where == f"{path}:4"
    assert caught.value.suggestion == "promt"
    assert list((tmp_path / "1-prepare").iterdir()) == []


def test_an_unknown_role_is_refused_at_its_line(run, write_rows):
    path = write_rows([{"messages": [{"role": "usr", "content": "x"}]}])
    with pytest.raises(DataError, match="unknown role 'usr'") as caught:
        run(source=path)
    assert caught.value.where == f"{path}:1"
    assert caught.value.suggestion == "user"


def test_too_few_rows_for_the_splits_is_said_in_numbers(run, write_rows):
    with pytest.raises(DataError, match="too few rows for the splits: train gets 0 of 10 rows") as caught:
        run(source=write_rows(pairs(10)), split={"validation": 5, "test": 5})
    assert caught.value.expected == "test: 5, validation: 5"
    same = [{"prompt": "Same?", "completion": str(n)} for n in range(10)]
    with pytest.raises(DataError, match="1 different questions"):
        run(source=write_rows(same), split=HELD_OUT)


def test_no_rows_and_only_dropped_rows_are_refused(run, write, write_rows, tmp_path):
    with pytest.raises(DataError, match="there are no rows in csv"):
        run(source=write("rows.csv", "prompt,completion\n"))
    with pytest.raises(DataError, match=r"all 2 rows were dropped \(empty_reply: 2\)") as caught:
        run(source=write_rows([{"prompt": str(n), "completion": ""} for n in range(2)]))
    assert Path(caught.value.where).is_file()


def test_an_unknown_key_is_refused_with_the_nearest():
    with pytest.raises(RecipeError, match=r"unknown key 'prepare.colums'") as caught:
        section_of(source="rows.csv", colums={})
    assert caught.value.suggestion == "columns"
    with pytest.raises(RecipeError) as caught:
        section_of(source="rows.csv", split={"tests": 0.1})
    assert caught.value.suggestion == "test"
    with pytest.raises(RecipeError) as caught:
        section_of(source={"csv": {"path": "rows.csv", "delimeter": ";"}})
    assert caught.value.suggestion == "delimiter"


def test_a_folder_that_cannot_be_written_is_refused(write_rows, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(MachineError) as caught:
        prepare(section_of(source=write_rows(pairs(20))), Entry(blocked / "run" / "1-prepare"))
    assert caught.value.where.startswith(str(blocked))
    assert caught.value.next_step


def test_a_rerun_after_a_kill_starts_clean_and_gives_the_same(write_rows, tmp_path):
    path, folder = write_rows(pairs(3000)), tmp_path / "1-prepare"
    code = (
        "import os, sys; from pathlib import Path; from sevenfold.prepare import collect, stage\n"
        "from sevenfold.prepare.section import PrepareSection; from sevenfold.record import Entry\n"
        "add, seen = collect.Intake.keep, []\n"
        "def keep(self, kept):\n"
        "    seen.append(kept)\n"
        "    os._exit(9) if len(seen) == 2 else add(self, kept)\n"
        "collect.Intake.keep = keep\n"
        "stage.prepare(PrepareSection(source=sys.argv[1]), Entry(Path(sys.argv[2])))\n"
    )
    assert subprocess.run([sys.executable, "-c", code, path, str(folder)], check=False).returncode == 9
    assert any(file.name.startswith(".") for file in folder.iterdir()), "the killed run left its halves"
    section = section_of(source=path)
    again, fresh = prepare(section, Entry(folder)), prepare(section, Entry(tmp_path / "fresh"))
    assert sorted(file.name for file in folder.iterdir()) == [
        "dropped.jsonl",
        "report.json",
        "result.json",
        "test.arrow",
        "train.arrow",
        "validation.arrow",
        "version.json",
    ]
    for split in again.counts:
        assert again.path(split).read_bytes() == fresh.path(split).read_bytes()


def test_changed_data_has_another_fingerprint(write_rows):
    section = section_of(source=[write_rows(pairs(3)), write_rows(pairs(2), "more.jsonl")])
    before = section.outside()
    assert len(before) == 2
    write_rows(pairs(4))
    assert section.outside() != before


def test_the_default_recipe_is_read_back_as_it_is_written():
    section = section_of(source={"python": "stdlib"}, split={"how": {"grouped": "module"}}, clean=[{"length": 9}])
    assert section_of(**section.model_dump(mode="json")) == section


def test_the_section_imports_nothing_heavy():
    code = (
        "import sys; from sevenfold.prepare.section import PrepareSection; import sevenfold.prepare.stage\n"
        "PrepareSection(source={'parquet': 'x.parquet'}).model_dump(mode='json')\n"
        "print([name for name in ('torch', 'pyarrow', 'numpy', 'datasets') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
