"""Results that outlive a killed process."""

import json

import pytest

from sevenfold.console import Console
from sevenfold.errors import MachineError
from sevenfold.evaluate.jsonl import Kept
from tests.evaluate.rows import lines

ITEMS = {f"item {i}": "x" * i for i in range(7)}


def finish(path, work):
    with Console(quiet=True).task("work", len(ITEMS)) as task:
        found = Kept(path).complete(ITEMS, 3, len, work, task)
        assert task.done == len(ITEMS)
    return found


def measure(batch):
    return [{"length": len(text)} for text in batch]


def test_results_come_in_the_items_order_and_batches_longest_first(tmp_path):
    batches = []

    def work(batch):
        batches.append([len(text) for text in batch])
        return measure(batch)

    assert [one["length"] for one in finish(tmp_path / "kept.jsonl", work)] == list(range(7))
    assert batches == [[6, 5, 4], [3, 2, 1], [0]]


def test_a_rerun_works_out_only_what_is_missing(tmp_path):
    path = tmp_path / "kept.jsonl"
    asked = []

    def dies(batch):
        if asked:
            raise KeyboardInterrupt
        asked.extend(batch)
        return measure(batch)

    with pytest.raises(KeyboardInterrupt):
        finish(path, dies)
    with path.open("a") as file:
        file.write('{"key": "item 3", "len')  # the line that a kill cut off

    def rest(batch):
        assert not set(batch) & set(asked)
        return measure(batch)

    assert [one["length"] for one in finish(path, rest)] == list(range(7))
    assert sorted(line["length"] for line in lines(path)) == list(range(7))
    finish(path, lambda batch: pytest.fail("nothing is missing"))


def test_lines_are_json_with_their_key(tmp_path):
    path = tmp_path / "kept.jsonl"
    Kept(path).add({"a": {"text": "سلام\n"}})
    assert json.loads(path.read_text(encoding="utf-8")) == {"key": "a", "text": "سلام\n"}
    assert Kept(path).values == {"a": {"text": "سلام\n"}}


def test_a_folder_that_is_not_there_is_an_error_with_its_place(tmp_path):
    with pytest.raises(MachineError) as caught:
        Kept(tmp_path / "gone" / "kept.jsonl").add({"a": {}})
    assert "gone/kept.jsonl" in str(caught.value)
