"""The record: atomic files, identities, results that move with their folder, one writer at a time."""

from __future__ import annotations

import errno
import json

import pytest

from sevenfold.console import Console
from sevenfold.disk import machine_error
from sevenfold.errors import MachineError, RecipeError
from sevenfold.record import (
    Record,
    Result,
    StageRecord,
    code_digest,
    digest,
    history,
    set_aside,
    write_text,
    writing,
)


class Small(Result):
    """A result with one fact."""

    value: int


def test_a_failed_write_leaves_the_old_file(tmp_path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), writing(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["file.txt"]


def test_a_full_disk_and_a_closed_folder_are_told_apart(tmp_path) -> None:
    full = machine_error(OSError(errno.ENOSPC, "No space left on device"), tmp_path / "a" / "b")
    assert "the disk is full" in str(full)
    closed = machine_error(OSError(errno.EACCES, "Permission denied"), tmp_path)
    assert "cannot write: Permission denied" in str(closed)


def test_a_folder_that_is_a_file_cannot_be_written(tmp_path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(MachineError):
        write_text(tmp_path / "taken" / "below.txt", "x")


def test_a_result_moves_with_its_folder(tmp_path) -> None:
    (tmp_path / "a").mkdir()
    Small(value=3).save(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    opened = Small.open(tmp_path / "b")
    assert opened.value == 3
    assert opened.folder == tmp_path / "b"


def test_digest_ignores_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})


def test_code_digest_sees_code(tmp_path) -> None:
    assert code_digest("tune") != code_digest("chat")
    assert len(code_digest("tune")) == 64


def test_a_stage_that_fails_is_recorded_with_its_error(tmp_path) -> None:
    record = Record(tmp_path / "run")
    with (
        pytest.raises(ValueError, match="broken"),
        record.stage(StageRecord(name="tune", identity="x"), tmp_path, Console(quiet=True)),
    ):
        raise ValueError("broken")
    again = Record(tmp_path / "run")
    assert again.stages["tune"].state == "failed"
    assert again.stages["tune"].error == "ValueError: broken"


def test_two_processes_cannot_work_on_one_run(tmp_path) -> None:
    record = Record(tmp_path / "run")
    with record.locked(), pytest.raises(MachineError, match="in use"), Record(tmp_path / "run").locked():
        pass


def test_a_missing_run_lists_those_that_exist(tmp_path) -> None:
    Record(tmp_path / "demo").write()
    with pytest.raises(RecipeError, match="did you mean: demo"):
        Record.open(tmp_path / "demmo")


def test_a_broken_record_is_an_error_not_a_loss(tmp_path) -> None:
    (tmp_path / "record.json").write_text("{")
    with pytest.raises(MachineError, match="cannot be read"):
        Record(tmp_path)
    assert (tmp_path / "record.json").read_text() == "{"


def test_superseded_results_are_kept_under_their_identity(tmp_path) -> None:
    folder = tmp_path / "4-tune"
    folder.mkdir()
    (folder / "weights").write_text("precious")
    set_aside(folder, "a" * 64)
    assert not folder.exists()
    assert (history(folder, "a" * 64) / "weights").read_text() == "precious"
    assert json.dumps(str(history(folder, "a" * 64))).count("history") == 1
