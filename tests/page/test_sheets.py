"""Tables that people fill in."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError
from sevenfold.page.sheets import harmless, table


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@a", "\tx", "\rx"])
def test_what_a_spreadsheet_would_run_becomes_text(cell) -> None:
    assert harmless(cell) == f"'{cell}"


def test_other_cells_stay_as_they_are() -> None:
    assert [harmless(cell) for cell in ("", "a=b", "سلام")] == ["", "a=b", "سلام"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_whatever_parts_it(tmp_path, delimiter) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'a{delimiter}b\n1{delimiter}"two\nlines"\n', encoding="utf-8-sig")
    assert list(table(path, "b")) == [{"a": "1", "b": "two\nlines"}]


def test_another_table_is_said(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("choise,b\n1,2\n")
    with pytest.raises(DataError, match="no column 'choice'") as caught:
        list(table(path, "choice"))
    assert caught.value.alternatives == ("choise", "b")
