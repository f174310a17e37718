from __future__ import annotations

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.sources.jsonl import JsonLines
from tests.prepare.conftest import read_all


def test_rows_and_their_lines_with_blank_lines_between(write):
    path = write("rows.jsonl", '{"a": 1}\n\n{"a": "سلام"}')
    rows = read_all(JsonLines(path=path))
    assert [(row.values, row.origin) for row in rows] == [({"a": 1}, f"{path}:1"), ({"a": "سلام"}, f"{path}:3")]


def test_a_line_separator_inside_a_string_does_not_end_the_line(write):
    rows = read_all(JsonLines(path=write("rows.jsonl", '{"a": "x\u2028y\x85z"}\n{"a": "b"}\n')))
    assert [row.values["a"] for row in rows] == ["x\u2028y\x85z", "b"]


def test_broken_json_is_refused_at_its_line(write):
    path = write("rows.jsonl", '{"a": 1}\n{"a": 2}\n{"a" 3}\n{"a": 4}\n')
    with pytest.raises(DataError, match="broken JSON: Expecting ':' delimiter at character 6") as caught:
        read_all(JsonLines(path=path))
    assert caught.value.where == f"{path}:3"
    assert '"a" 3' in caught.value.problem


def test_a_line_that_is_no_object_is_refused(write):
    path = write("rows.jsonl", '{"a": 1}\n[1, 2]\n')
    with pytest.raises(DataError, match="not an object: ") as caught:
        read_all(JsonLines(path=path))
    assert caught.value.where == f"{path}:2"


def test_the_wrong_encoding_is_refused_at_its_line(write):
    path = write("rows.jsonl", b'{"a": "ok"}\n{"a": "' + "سلام".encode("cp1256") + b'"}\n')
    with pytest.raises(DataError, match="byte 0xd3 at byte 8 of line 2") as caught:
        read_all(JsonLines(path=path))
    assert "cp1256" in caught.value.alternatives


def test_an_empty_file_is_refused(write):
    path = write("rows.jsonl", "")
    with pytest.raises(DataError, match="the file is empty") as caught:
        read_all(JsonLines(path=path))
    assert caught.value.where == path


def test_a_folder_and_a_glob_give_their_files_in_order(write, tmp_path):
    write("data/b.jsonl", '{"n": 2}\n')
    write("data/a.jsonl", '{"n": 1}\n')
    write("data/.hidden/c.jsonl", '{"n": 3}\n')
    write("data/readme.txt", "no rows")
    folder = str(tmp_path / "data")
    assert [row.values["n"] for row in read_all(JsonLines(path=folder))] == [1, 2]
    assert [row.values["n"] for row in read_all(JsonLines(path=f"{folder}/*.jsonl"))] == [1, 2]


def test_a_fingerprint_follows_the_bytes(write):
    path = write("rows.jsonl", '{"a": 1}\n')
    before = JsonLines(path=path).fingerprints()
    assert JsonLines(path=path).fingerprints() == before
    write("rows.jsonl", '{"a": 2}\n')
    assert JsonLines(path=path).fingerprints() != before
