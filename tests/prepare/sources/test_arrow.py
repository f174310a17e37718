from __future__ import annotations

import pyarrow
import pytest
from pyarrow import feather, parquet

from sevenfold.errors import DataError
from sevenfold.prepare.sources.arrow import Arrow
from sevenfold.prepare.sources.parquet import Parquet
from tests.prepare.conftest import read_all, section_of
from tests.prepare.sources.spoilt import outcomes

ROWS = [{"prompt": f"سؤال {n}", "tags": ["a", str(n)], "label": None if n % 2 else "x"} for n in range(2500)]


def as_file(table, path):
    with pyarrow.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=700)


def as_stream(table, path):
    with pyarrow.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=700)


WRITERS = {"rows.arrow": as_file, "rows.ipc": as_stream, "rows.feather": feather.write_feather}


@pytest.mark.parametrize("name", WRITERS)
def test_files_streams_and_feather_are_read(tmp_path, name):
    path = str(tmp_path / name)
    WRITERS[name](pyarrow.Table.from_pylist(ROWS), path)
    found = read_all(section_of(source=path).source[0])
    assert [row.values for row in found] == ROWS
    assert found[-1].origin == f"{path}:2500"


def test_what_is_no_arrow_file_is_refused(write):
    path = write("rows.arrow", "prompt,completion\n")
    with pytest.raises(DataError, match="not Arrow") as caught:
        read_all(Arrow(path=path))
    assert caught.value.where == path


@pytest.mark.parametrize("name", WRITERS)
def test_spoilt_files_are_read_or_refused_at_their_place(tmp_path, name):
    path = str(tmp_path / name)
    WRITERS[name](pyarrow.Table.from_pylist(ROWS[:30]), path)
    assert outcomes(path, lambda: Arrow(path=path), 80)["refused"] > 20


def test_spoilt_parquet_is_read_or_refused_at_its_place(tmp_path):
    path = str(tmp_path / "rows.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(ROWS[:30]), path)
    assert outcomes(path, lambda: Parquet(path=path), 80)["refused"] > 20
