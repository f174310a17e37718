"""A source in a user's own file may build on ours."""

from __future__ import annotations

import sqlite3

import pytest

from tests.prepare.conftest import read_all, section_of

EXCEL = """
from sevenfold.prepare.sources import RawRow
from sevenfold.prepare.sources.excel import Excel


class Loud(Excel):
    def read(self, file, reading):
        for row in super().read(file, reading):
            yield RawRow({name: str(value).upper() for name, value in row.values.items()}, row.origin)
"""
SQL = """
from sevenfold.prepare.sources.sql import Sql


class Reviews(Sql):
    database: str = "rows.db"
    query: str = "select a as prompt, b as completion from rows"
"""


def test_on_excel(write, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["prompt"])
    book.active.append(["hi"])
    book.save(tmp_path / "rows.xlsx")
    source = section_of(source={"file": write("loud.py", EXCEL), "path": str(tmp_path / "rows.xlsx")}).source[0]
    assert read_all(source)[0].values == {"prompt": "HI"}


def test_on_sql(write, tmp_path, monkeypatch, run):
    pytest.importorskip("sqlalchemy")
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("rows.db") as connection:
        connection.execute("create table rows as select 'hi' as a, 'hello' as b")
    connection.close()
    done = run(source={"file": write("reviews.py", SQL)})
    assert done.rows()[0].conversation.reference() == "hello"
    assert done.rows()[0].origin == "rows.db:row 1"
