from __future__ import annotations

import pyarrow
import pytest
from pyarrow import parquet

from sevenfold.errors import DataError
from sevenfold.prepare.sources.parquet import Parquet
from tests.prepare.conftest import read_all


def test_rows_come_back_with_lists_and_nulls(tmp_path):
    rows = [{"messages": [{"role": "user", "content": str(n)}], "label": None if n % 2 else "x"} for n in range(2500)]
    path = tmp_path / "rows.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    found = read_all(Parquet(path=str(path)))
    assert [row.values for row in found] == rows
    assert found[-1].origin == f"{path}:2500"


def test_a_file_that_is_not_parquet_is_refused(write):
    path = write("rows.parquet", "prompt,completion\n")
    with pytest.raises(DataError, match="not Parquet") as caught:
        read_all(Parquet(path=path))
    assert caught.value.where == path
