"""Answers that should be JSON."""

from __future__ import annotations

import json

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.metrics.json_schema import JsonSchema
from sevenfold.evaluate.section import EvaluateSection
from tests.evaluate.metrics.asked import question

SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
ANSWERS = [
    '{"city": "شیراز"}',
    '```json\n{"city": "Bonn", "more": 1}\n```',
    '{"city": 3}',
    "[]",
    '{"city": "a"',
    "",
    "NaN",
]


def test_a_file_has_the_schema_of_all(tmp_path) -> None:
    path = tmp_path / "city.json"
    path.write_text(json.dumps(SCHEMA), encoding="utf-8")
    metric = EvaluateSection(metrics=[{"json_schema": str(path)}]).metrics[0]
    assert metric.values(ANSWERS, [question()] * 7) == [1, 1, 0, 0, 0, 0, 0]


def test_a_column_has_each_rows_own() -> None:
    asked = [question(form=json.dumps(SCHEMA)), question(form='{"type": "array"}')]
    assert JsonSchema(column="form").values(["[]", "[]"], asked) == [0, 1]


def test_without_a_schema_any_json_will_do() -> None:
    assert JsonSchema().values(ANSWERS, [question()] * 7) == [1, 1, 1, 1, 0, 0, 0]


def test_what_is_no_schema_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match="no JSON schema"):
        JsonSchema(column="form").values(["{}"], [question(form='{"type": "objekt"}')])
    with pytest.raises(DataError, match="no JSON schema"):
        JsonSchema(column="form").values(["{}"], [question(form="{")])
    with pytest.raises(DataError, match="cannot be read"):
        JsonSchema(path=str(tmp_path / "none.json")).values(["{}"], [question()])
    with pytest.raises(ValueError, match="not of both"):
        JsonSchema(path="a", column="b")
