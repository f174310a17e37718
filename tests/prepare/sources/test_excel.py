from __future__ import annotations

import datetime
import sys

import pytest

from sevenfold.errors import DataError, MachineError
from sevenfold.prepare import packed
from sevenfold.prepare.sources.excel import Excel
from tests.prepare.conftest import read_all, section_of
from tests.prepare.sources.spoilt import outcomes

openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture
def make(tmp_path):
    def put(*rows, more=(), merged=(), name="rows.xlsx"):
        book = openpyxl.Workbook()
        book.active.title = "Questions"
        for row in rows:
            book.active.append(row)
        for place in merged:
            book.active.merge_cells(place)
        for title in more:
            book.create_sheet(title).append(["prompt", title])
        book.save(tmp_path / name)
        return str(tmp_path / name)

    return put


def test_rows_have_the_header_s_columns_and_their_place(make):
    path = make(["prompt", "completion"], ["سلام", "hello"], [None, None], [3, datetime.datetime(2024, 5, 7)])
    rows = read_all(Excel(path=path))
    assert [(row.values, row.origin) for row in rows] == [
        ({"prompt": "سلام", "completion": "hello"}, f"{path}:Questions!2"),
        ({"prompt": 3, "completion": datetime.datetime(2024, 5, 7)}, f"{path}:Questions!4"),
    ]
    assert isinstance(section_of(source=path).source[0], Excel)


def test_merged_empty_broken_and_nameless_cells_are_counted_at_their_first_place(make):
    path = make(
        ["a", None, "b"],
        ["x", None, "y"],
        ["", None, "z"],
        ["x", "stray", None],
        ["#N/A", None, "y", "far"],
        ["one", None, "two"],
        [None, None, "u"],
        merged=["A6:A7"],
    )
    notes: list[str] = []
    rows = read_all(Excel(path=path), notes)
    assert [row.values["a"] for row in rows] == ["x", None, "x", None, "one", None]
    place = f"{path}:Questions"
    assert sorted(notes) == sorted(
        [
            f"{place}: 1 merged ranges, of which only the first cell has the value",
            f"{place}: 3 empty cells, first at {place}!3",
            f"{place}: 1 cells with an error such as #N/A, which are read as empty, first at {place}!5",
            f"{place}: 2 values under no column's name, which are not read, first at {place}!4",
        ]
    )


def test_a_clean_sheet_gives_no_findings(make):
    notes: list[str] = []
    rows = read_all(Excel(path=make(["a", "b"], *([str(n), n] for n in range(200)))), notes)
    assert len(rows) == 200
    assert notes == []


def test_a_sheet_and_a_header_row_are_chosen(make):
    path = make(["Our questions"], ["prompt", "completion"], ["a", "b"], more=["Other"])
    notes: list[str] = []
    assert read_all(Excel(path=path, header=2), notes)[0].values == {"prompt": "a", "completion": "b"}
    assert "not read: Other" in notes[0]
    assert read_all(Excel(path=path, sheet="Other")) == []
    with pytest.raises(DataError, match="no sheet 'Othr'") as caught:
        read_all(Excel(path=path, sheet="Othr"))
    assert caught.value.suggestion == "Other"


@pytest.mark.parametrize(
    ("rows", "header", "problem"),
    [
        ([["a", "a"], ["x", "y"]], 1, "'a' stands twice"),
        ([[None, None], ["x", "y"]], 1, "names no columns"),
        ([["a"]], 5, "the sheet has no row 5"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(make, rows, header, problem):
    with pytest.raises(DataError, match=problem) as caught:
        read_all(Excel(path=make(*rows), header=header))
    assert "Questions" in caught.value.where


def test_a_size_that_the_file_claims_wrongly_cuts_no_rows(make, tmp_path):
    import zipfile

    path = make(["a"], ["1"], ["2"])
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "lying.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:A3"', b'<dimension ref="A1:A2"'))
    assert len(read_all(Excel(path=str(tmp_path / "lying.xlsx")))) == 2


def test_a_workbook_that_would_fill_the_memory_is_refused(make, monkeypatch):
    path = make(["a"], *([["x" * 1000]] * 200))
    monkeypatch.setattr(packed, "SMALL", 1000)
    monkeypatch.setattr(packed, "MOST_RATIO", 2)
    with pytest.raises(DataError, match="packed bytes grow to more than"):
        read_all(Excel(path=path))


def test_spoilt_workbooks_are_read_or_refused_at_their_place(make):
    path = make(["prompt", "completion"], *([f"q{n}", n] for n in range(20)))
    found = outcomes(path, lambda: Excel(path=path), 60)
    assert found["refused"] > 30, found


def test_spoilt_sheets_are_read_or_refused_at_their_place(make, tmp_path):
    import zipfile

    from tests.prepare.sources.spoilt import spoilt

    path = make(["prompt", "completion"], *([f"q{n}", n] for n in range(20)))
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    places = []
    for data in spoilt(parts["xl/worksheets/sheet1.xml"], 60):
        with zipfile.ZipFile(tmp_path / "spoilt.xlsx", "w") as new:
            for name, part in parts.items():
                new.writestr(name, data if name.endswith("sheet1.xml") else part)
        try:
            read_all(Excel(path=str(tmp_path / "spoilt.xlsx")))
        except DataError as error:
            places.append(error.where)
    assert len(places) > 20
    assert all("spoilt.xlsx" in place for place in places)


def test_a_missing_library_is_named(make, monkeypatch):
    path = make(["a"], ["1"])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MachineError, match="openpyxl") as caught:
        read_all(Excel(path=path))
    assert caught.value.next_step == "pip install 'sevenfold[prepare]'"
