"""What users get wrong, through the command line: a message with the place and the next step, never a traceback."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tiny
from tests.whole import Called, record, sevenfold, write_recipe, write_rows

GOOD = '{"prompt": "a question", "completion": "an answer"}\n'
TEMPLATE = {"format": {"template": {"prompt": "Say {qestion}", "completion": "{answer}"}}}


def fails(called: Called, *parts: str, code: int = 2) -> None:
    """The command ended with a message that has all of these parts."""
    assert called.code == code, called.err
    message = called.err.rpartition("error: ")[2]
    for part in parts:
        assert part in message, message
    assert "Traceback" not in called.err


@pytest.fixture
def place(tmp_path, tiny_weights, monkeypatch) -> Path:
    """A folder with rows and no run."""
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "prepare", "parts"),
    [
        ("rows.jsonl", None, {}, ("rows.jsonl",)),
        ("rows.jsonl", b"", {}, ("rows.jsonl", "empty")),
        ("rows.jsonl", (GOOD * 6 + '{"prompt": \n').encode(), {"unreadable": 0}, ("rows.jsonl:7", "JSON")),
        (
            "rows.jsonl",
            GOOD.encode() * 3 + b'{"prompt": "\xff\xfe", "completion": "x"}\n',
            {"unreadable": 0},
            ("rows.jsonl:4", "not utf-8", "encoding: cp1252"),
        ),
        (
            "rows.jsonl",
            b'{"prmpt": "a", "completion": "b"}\n',
            {},
            ("prmpt, completion", "rows.jsonl:1", "columns: {your_name: prompt"),
        ),
        ("rows.jsonl", b'{"question": "a", "answer": "b"}\n', TEMPLATE, ("qestion", "did you mean: question")),
        (
            "rows.csv",
            b"prompt;completion\na;b\n",
            {"source": {"csv": {"path": "rows.csv", "delimiter": ","}}},
            (";",),
        ),
    ],
    ids=["missing", "empty", "broken-json", "encoding", "column", "template-column", "delimiter"],
)
def test_rows_that_cannot_be_read(place, tiny_weights, name, content, prepare, parts) -> None:
    if content is None:
        Path(name).unlink()
    else:
        Path(name).write_bytes(content)
    write_recipe(place, tiny_weights, prepare=prepare)
    called = sevenfold("prepare", "small.yaml", "--json")
    fails(called, *parts)
    assert called.json["kind"] == "DataError"


def test_an_empty_reply_is_counted_and_kept_with_its_reason(place, tiny_weights) -> None:
    with Path("rows.jsonl").open("a") as file:
        file.write('{"prompt": "a question", "completion": "  "}\n')
    write_recipe(place, tiny_weights)
    called = sevenfold("prepare", "small.yaml", "--json")
    assert called.code == 0, called.err
    assert (called.json["rows_in"], called.json["rows"]) == (41, 40)
    assert sum(called.json["dropped"].values()) == 1
    (dropped,) = (json.loads(line) for line in Path("runs/small/1-prepare/dropped.jsonl").read_text().splitlines())
    assert "rows.jsonl:41" in json.dumps(dropped)


def test_a_row_longer_than_the_limit_can_be_refused(place, tiny_weights) -> None:
    with Path("rows.jsonl").open("a") as file:
        file.write(json.dumps({"prompt": "long", "completion": "word " * 300}) + "\n")
    write_recipe(
        place,
        tiny_weights,
        tune={"overlong": "refuse", "max_length": 128},
        prepare={"split": {"validation": 0, "test": 0}},
    )
    fails(sevenfold("tune", "small.yaml"), "tokens", "rows.jsonl:41", "at most tune.max_length = 128", "tune.overlong")


def test_a_limit_over_the_models_context_is_refused(place, tiny_weights) -> None:
    write_recipe(place, tiny_weights, tune={"max_length": 1024})
    fails(sevenfold("tune", "small.yaml"), "1024", "at most 512 tokens")


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("tune.bacth=3", ("unknown key 'tune.bacth'", "did you mean: batch")),
        ("tune.batch=many", ("tune.batch = 'many'", "integer")),
        ("tune.method=loar", ("no method 'loar'", "did you mean: lora")),
        ("deploy.engine=xllamacpp", ("the engine xllamacpp opens the export gguf",)),
    ],
)
def test_a_recipe_that_cannot_be_used(place, tiny_weights, override, parts) -> None:
    write_recipe(place, tiny_weights)
    fails(sevenfold("run", "small.yaml", "--set", override), *parts)
    assert not Path("runs").exists()


def test_a_wrong_line_of_a_recipe_is_named(place, tiny_weights) -> None:
    path = write_recipe(place, tiny_weights)
    lines = path.read_text().splitlines()
    number = next(index for index, line in enumerate(lines, start=1) if "learning_rate" in line)
    path.write_text(path.read_text().replace("learning_rate: 0.01", "learning_rate: -1"))
    fails(sevenfold("run", path), f"small.yaml:{number}", "tune.learning_rate = -1", "greater than 0")


def test_a_recipe_that_is_not_there_suggests_the_nearest(place, tiny_weights) -> None:
    write_recipe(place, tiny_weights)
    fails(sevenfold("run", "smal.yaml"), "smal.yaml", "did you mean: small.yaml")


def test_a_model_that_is_not_there(place) -> None:
    write_recipe(place, Path("smollm2-135n"))
    fails(sevenfold("load", "small.yaml"), "smollm2-135n", "did you mean: smollm2-135m")


def test_a_tokenizer_without_a_template(place, tiny_weights) -> None:
    import shutil

    shutil.copytree(tiny_weights, place / "plain")
    for name in ("chat_template.jinja", "tokenizer_config.json", "tokenizer.json"):
        (place / "plain" / name).unlink(missing_ok=True)
    tiny.make_tokenizer(place / "plain", template=None)
    write_recipe(place, place / "plain")
    fails(sevenfold("load", "small.yaml"), "template", "load.template")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system in memory of a few kilobytes."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"a full disk needs a file system of its own: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        # Lazily: a test that fails may still hold a file of it open.
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_said_and_the_work_goes_on_when_there_is_space(place, tiny_weights) -> None:
    write_recipe(place, tiny_weights)
    with small_disk(place / "disk", "400k"):
        called = sevenfold("tune", "small.yaml", "--runs", "disk", "--json")
        fails(called, "the disk is full", "disk/small", "free some space, then rerun; done work is kept")
        assert called.json["kind"] == "MachineError"
        assert [path for path in Path("disk/small").rglob(".*") if path.name != ".lock"] == []
        subprocess.run(["mount", "-o", "remount,size=4m", place / "disk"], check=True)
        called = sevenfold("tune", "small.yaml", "--runs", "disk")
        assert called.code == 0, called.err
        assert "1 prepare: done before, reused" in called.err
        assert record(Path("disk/small"))["tune"]["state"] == "done"


def test_a_disk_that_is_full_at_once(place, tiny_weights) -> None:
    write_recipe(place, tiny_weights)
    with small_disk(place / "disk", "8k"):
        fails(sevenfold("prepare", "small.yaml", "--runs", "disk"), "the disk is full")


def test_a_folder_that_is_a_file(place, tiny_weights) -> None:
    write_recipe(place, tiny_weights)
    Path("taken").write_text("a file")
    fails(sevenfold("prepare", "small.yaml", "--runs", "taken"), "cannot write", "taken", "--runs")


@pytest.fixture
def unwritable(place) -> Iterator[Path]:
    """A folder that takes no file: a read-only file system for root, who may write anywhere else."""
    if os.geteuid() == 0:
        with small_disk(place / "closed", "8k,ro"):
            yield place / "closed"
    else:
        (place / "closed").mkdir(mode=0o555)
        yield place / "closed"


def test_a_folder_that_cannot_be_written(place, tiny_weights, unwritable) -> None:
    write_recipe(place, tiny_weights)
    called = sevenfold("prepare", "small.yaml", "--runs", unwritable)
    fails(called, "cannot write: ", f"where: {unwritable}", "--runs")
