"""The answers file: appended, shared, and whole whatever kills the writer."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sevenfold.errors import MachineError
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.queue import Answer
from tests.prepare.labels.made import lines

WRITER = """
import sys
from pathlib import Path
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.queue import Answer
answers = Answers(Path(sys.argv[1]))
for number in range(100_000):
    answers.append([Answer(f"row {number}", "متن", "ada")])
    print(number, flush=True)
"""


def held(answers: Answers) -> dict[tuple[str, str], object]:
    return {(origin, name): one.label for origin, of in answers.held.items() for name, one in of.items()}


def test_a_kill_loses_nothing_that_was_confirmed(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    confirmed = [next(process.stdout) for _ in range(30)]
    process.send_signal(signal.SIGKILL)
    confirmed += process.stdout.readlines()
    process.wait()
    answers = Answers(path)
    assert {f"row {int(number)}" for number in confirmed} <= set(answers.held)
    assert answers.broken == 0


def test_half_a_line_of_a_killed_writer_is_passed_over_and_counted(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    Answers(path).append([Answer("a", "x", "ada")])
    with path.open("a") as file:
        file.write('{"origin": "b", "la')
    answers = Answers(path)
    answers.append([Answer("c", "y", "ada")])
    assert held(answers) == {("a", "ada"): "x", ("c", "ada"): "y"}
    assert answers.broken == 1
    assert held(Answers(path)) == held(answers)


def many(path, name: str, count: int) -> None:
    answers = Answers(path)
    for number in range(count):
        answers.append([Answer(f"row {number}", name, name, note="ن" * 500)])


def test_processes_that_write_at_once_do_not_mix_their_lines(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=many, args=(path, name, 40)) for name in ("ada", "bob")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(lines(path)) == 80
    assert len(held(Answers(path))) == 80


def test_what_others_append_is_seen(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    ada, bob = Answers(path), Answers(path)
    ada.append([Answer("a", "x", "ada")])
    bob.append([Answer("a", "y", "bob")])
    ada.refresh()
    assert held(ada) == held(bob) == {("a", "ada"): "x", ("a", "bob"): "y"}


def test_an_undo_restores_what_held_before(tmp_path) -> None:
    answers = Answers(tmp_path / "answers.jsonl")
    answers.append([Answer("a", "x", "ada", note="first")])
    answers.append([Answer("a", "y", "ada")])
    assert answers.undo("bob") is None
    assert answers.undo("ada") == "a"
    last = lines(answers.path)[-1]
    assert (last["label"], last["note"], last["undone"]) == ("x", "first", True)
    assert held(answers) == {("a", "ada"): "x"}
    assert answers.undo("ada") == "a"
    assert held(answers) == {}
    assert answers.undo("ada") is None


ACTS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["p", "q", None, "undo"]), st.sampled_from("12")))


@given(ACTS)
@example([("a", "p", "1"), ("a", "p", "1"), ("b", "p", "1"), ("a", "p", "1"), ("a", "undo", "1"), ("a", "undo", "1")])
@settings(max_examples=30, deadline=None)
def test_any_order_of_answers_and_undos_reads_back_the_same(tmp_path_factory, acts) -> None:
    """Beside a plain model: a stack of what each did, and the last of each row that is left."""
    answers = Answers(tmp_path_factory.mktemp("acts") / "answers.jsonl")
    done: dict[str, list[tuple[str, str | None]]] = {"1": [], "2": []}
    for origin, label, name in acts:
        if label == "undo":
            expected = done[name].pop()[0] if done[name] else None
            assert answers.undo(name) == expected
        else:
            answers.append([Answer(origin, label, name)])
            done[name].append((origin, label))
    model = {(origin, name): label for name, did in done.items() for origin, label in did}
    assert held(answers) == model
    assert held(Answers(answers.path)) == model


def test_lines_that_are_no_answers_are_counted(tmp_path) -> None:
    path = tmp_path / "answers.jsonl"
    rows = ["[1]", '{"label": "x"}', '{"origin": 3}', "{", '{"origin": "a", "label": {"b": 1}}', "\udcff"]
    good = json.dumps({"origin": "a", "label": "x", "annotator": "ada"})
    path.write_bytes("\n".join([*rows, good, ""]).encode("utf-8", "surrogateescape"))
    answers = Answers(path)
    assert (answers.broken, held(answers)) == (6, {("a", "ada"): "x"})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(MachineError, match="cannot write"):
        Answers(tmp_path / "answers.jsonl").append([Answer("a", "x", "ada")])


def test_a_folder_in_the_files_place_is_said(tmp_path) -> None:
    with pytest.raises(MachineError):
        Answers(tmp_path)
