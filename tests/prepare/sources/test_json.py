from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sevenfold.errors import DataError
from sevenfold.prepare.sources import json as source_module
from sevenfold.prepare.sources.json import Json
from tests.prepare.conftest import read_all


def test_a_list_is_read_with_the_line_of_each_object(write):
    path = write("rows.json", '[\n  {"a": 1},\n  {"a":\n 2}\n, {"a": 3}]\n')
    assert [(row.values["a"], row.origin) for row in read_all(Json(path=path))] == [
        (1, f"{path}:2"),
        (2, f"{path}:3"),
        (3, f"{path}:5"),
    ]


def test_an_object_with_one_list_is_read(write):
    rows = read_all(Json(path=write("rows.json", '{"version": 1, "data": [{"a": 1}, {"a": 2}]}')))
    assert [row.values for row in rows] == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('[{"a": 1},\n {"a": 2},\n {"a" 3}]', 3, "Expecting ':' delimiter"),
        ('[{"a": 1},\n {"a": 2}', 2, "where a comma or ] belongs"),
        ('[{"a": 1},\n', 2, "the list is not closed"),
        ('[{"a": 1}\n {"a": 2}]', 2, "where a comma or ] belongs"),
        ('[{"a": 1},\n 5]', 2, "not an object: 5"),
        ('{"a": 1}\n{"a": 2}\n', 2, "jsonl"),
        ('{"a": [1], "b": [2]}', 1, "found 2: a, b"),
    ],
)
def test_broken_json_is_refused_at_its_line(write, text, line, problem):
    path = write("rows.json", text)
    with pytest.raises(DataError) as caught:
        read_all(Json(path=path))
    assert problem in caught.value.describe()
    assert caught.value.where == f"{path}:{line}"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=30) | st.integers(), max_size=4), max_size=12),
    indent=st.sampled_from([None, 1]),
    chunk=st.integers(1, 40),
)
def test_reading_in_pieces_equals_reading_whole(write, rows, indent, chunk):
    path = write("rows.json", json.dumps(rows, indent=indent))
    kept, source_module.CHUNK = source_module.CHUNK, chunk
    try:
        assert [row.values for row in read_all(Json(path=path))] == rows
    finally:
        source_module.CHUNK = kept
