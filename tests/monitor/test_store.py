import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest

from sevenfold.errors import MachineError
from sevenfold.monitor.store import COLUMNS, VERSION, TrafficStore
from tests.monitor import made

DAY = 86400


@pytest.fixture
def store(tmp_path):
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        yield store


def test_what_goes_in_comes_out_whole(store):
    given = [
        made.exchange(1, "سلام، می‌روم", user="علی", project="p", error=None),
        made.exchange(2, status=500, error="boom", finish_reason=None, first_token_seconds=None, answer=""),
    ]
    assert [store.append(item) for item in given] == [True, True]
    assert list(store.newest(9)) == given
    assert store.count() == 2


def test_the_same_request_id_changes_nothing(store):
    assert store.append(made.exchange(1, answer="first"))
    assert not store.append(made.exchange(1, answer="second"))
    assert store.extend([made.exchange(1), made.exchange(2)]) == 1
    assert next(store.newest(9)).answer == "first"


def test_the_newest_are_in_order_of_time(store):
    store.extend(made.exchange(n) for n in (3, 1, 2, 0))
    assert [item.id for item in store.newest(2)] == ["req-00002", "req-00003"]


def test_iterating_holds_one_row_and_sees_one_moment(store):
    store.extend(made.exchange(n) for n in range(10))
    reader = store.newest(99)
    assert next(reader).id == "req-00000"
    store.append(made.exchange(11))  # a writer does not wait for a reader
    assert len(list(reader)) == 9
    assert store.count() == 11


def test_counts_and_totals(store):
    store.extend([made.exchange(1, user="a"), made.exchange(2, user="a", status=500), made.exchange(3)])
    assert store.count() == 3
    assert store.totals()[0] == {
        "model": "demo",
        "status": 200,
        "requests": 2,
        "prompt_tokens": 20,
        "completion_tokens": 14,
        "seconds": 1.0,
    }


def test_time_is_looked_up_in_the_index(store):
    plan = store.writer.execute(
        "EXPLAIN QUERY PLAN SELECT * FROM exchanges ORDER BY time DESC, id DESC LIMIT 2"
    ).fetchall()
    assert "USING INDEX exchanges_by_time" in " ".join(row["detail"] for row in plan)
    assert not any("TEMP B-TREE" in row["detail"] for row in plan)


def test_nothing_is_kept_of_a_batch_that_breaks(store):
    def broken():
        yield made.exchange(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        store.extend(broken())
    assert store.count() == 0
    assert store.append(made.exchange(1))


def test_threads_write_together(store):
    def write(first):
        for n in range(first, first + 50):
            store.append(made.exchange(n))

    threads = [threading.Thread(target=write, args=(n * 50,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count() == 400


def write_from_a_process(path: str, first: int, start) -> None:
    start.wait()
    with TrafficStore(Path(path)) as store:
        for n in range(first, first + 40):
            store.append(made.exchange(n))


def test_processes_open_a_new_store_at_once_and_write_together(tmp_path):
    path = tmp_path / "new" / "traffic.sqlite"
    context = multiprocessing.get_context("fork")
    start = context.Barrier(4)
    workers = [context.Process(target=write_from_a_process, args=(str(path), n * 40, start)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 4
    with TrafficStore(path) as store:
        assert store.count() == 160


def write_and_die(path: str) -> None:
    import os

    store = TrafficStore(Path(path))
    for n in range(20):
        store.append(made.exchange(n))
    os._exit(9)


def test_a_killed_writer_loses_nothing_it_appended(tmp_path):
    worker = multiprocessing.get_context("fork").Process(target=write_and_die, args=(str(tmp_path / "traffic.sqlite"),))
    worker.start()
    worker.join()
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        assert store.count() == 20


def test_retention_says_what_it_deleted_and_really_deletes_it(store):
    store.extend(made.exchange(n, f"secret{n:02d}secret", time=made.START + n * DAY) for n in range(10))
    now = made.START + 9 * DAY + 1
    pruned = store.prune(days=6, rows=4, now=now)
    assert (pruned.by_age, pruned.by_count) == (4, 2)
    assert [item.id for item in store.newest(9)] == ["req-00006", "req-00007", "req-00008", "req-00009"]
    files = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert b"secret05secret" not in files
    assert b"secret06secret" in files
    again = store.prune(days=6, rows=4, now=now)
    assert (again.by_age, again.by_count) == (0, 0)


def test_told_is_kept_for_each_rule_and_channel(tmp_path):
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        store.tell("r", "console", 5.0)
    with TrafficStore(tmp_path / "traffic.sqlite") as store:
        assert store.told("r", "console") == 5.0
        assert store.told("r", "webhook") is None
        store.tell("r", "console", None)
        assert store.told("r", "console") is None


def test_the_file_has_the_version_and_is_in_wal_mode(store):
    assert store.writer.execute("PRAGMA user_version").fetchone()[0] == VERSION
    assert store.writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    kept = [row["name"] for row in store.writer.execute("PRAGMA table_info(exchanges)")]
    assert sorted(kept) == sorted(COLUMNS)


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "traffic.sqlite"
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(MachineError) as caught:
        TrafficStore(path)
    assert f"version {VERSION + 1}" in str(caught.value)
    assert str(path) in str(caught.value)
    assert "upgrade" in str(caught.value)
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone()[0] == VERSION + 1


def test_a_file_that_is_no_store_is_refused(tmp_path):
    path = tmp_path / "traffic.sqlite"
    path.write_text("id,time\n1,2\n" * 100)
    with pytest.raises(MachineError, match="not a database") as caught:
        TrafficStore(path)
    assert "move the file away" in str(caught.value)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="cannot write"):
        TrafficStore(tmp_path / "file" / "demo" / "traffic.sqlite")
    (tmp_path / "traffic.sqlite").mkdir()
    with pytest.raises(MachineError, match="unable to open") as caught:
        TrafficStore(tmp_path / "traffic.sqlite")
    assert "permissions" in str(caught.value)


def test_a_full_disk_is_said_and_keeps_what_was_there(store):
    store.append(made.exchange(1))
    pages = store.writer.execute("PRAGMA page_count").fetchone()[0]
    store.writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(MachineError, match="full") as caught:
        store.append(made.exchange(2, "x" * 100_000))
    assert "free some space" in str(caught.value)
    assert store.count() == 1
