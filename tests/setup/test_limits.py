from __future__ import annotations

import os

import psutil
import pytest

from sevenfold.setup import limits


def test_threads_asked_for_come_first(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert limits.threads(5) == (5, "asked for")
    assert limits.threads(0) == (3, "OMP_NUM_THREADS")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_threads_keep_to_the_processors_of_the_process(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert limits.threads(0)[0] == 1
    finally:
        os.sched_setaffinity(0, before)
    assert 1 <= limits.threads(0)[0] <= len(before)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2.0),
    ],
)
def test_a_containers_processors(tmp_path, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert limits.cpu_quota(tmp_path) == quota


def test_a_containers_memory(tmp_path):
    assert limits.memory_limit(tmp_path) is None
    (tmp_path / "memory.max").write_text("max\n")
    assert limits.memory_limit(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("600000\n")
    (tmp_path / "memory.stat").write_text("anon 300000\ninactive_file 200000\n")
    assert limits.memory_limit(tmp_path) == 1_000_000
    assert limits.memory_used(tmp_path) == 400_000


def test_no_more_is_free_than_there_is():
    assert 0 < limits.available_memory() <= limits.total_memory() <= psutil.virtual_memory().total
