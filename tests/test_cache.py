from __future__ import annotations

import subprocess
import sys
import time

import pytest

from sevenfold import cache
from sevenfold.errors import MachineError

# The tests' models are not for the user's own cache.
pytestmark = pytest.mark.usefixtures("own_cache")

WORKER = """
import sys, time
from pathlib import Path
from sevenfold import cache

def make(folder: Path) -> None:
    with open(sys.argv[1], "a") as log:
        log.write("made\\n")
    (folder / "half").write_text("x")
    time.sleep(float(sys.argv[2]))
    (folder / "whole").write_text("x")

print(sorted(p.name for p in cache.model("m", make).iterdir()))
"""


def worker(log, seconds):
    return subprocess.Popen([sys.executable, "-c", WORKER, str(log), str(seconds)], stdout=subprocess.PIPE, text=True)


def test_two_processes_make_it_once(tmp_path):
    log = tmp_path / "log"
    both = [worker(log, 0.5), worker(log, 0.5)]
    assert [process.communicate()[0] for process in both] == ["['half', 'whole']\n"] * 2
    assert log.read_text() == "made\n"


def test_a_killed_build_leaves_no_half_model(tmp_path, own_cache):
    log = tmp_path / "log"
    process = worker(log, 60)
    while not log.exists():
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not (own_cache / "models" / "m").exists()
    made = cache.model("m", lambda folder: (folder / "new").touch() or None)
    assert [path.name for path in made.iterdir()] == ["new"]
    assert [path.name for path in (own_cache / "models").iterdir() if path.is_dir()] == ["m"]


def test_a_failed_build_leaves_nothing(own_cache):
    def fail(folder):
        (folder / "half").touch()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.model("m", fail)
    assert [path for path in (own_cache / "models").iterdir() if path.is_dir()] == []


def test_a_cache_that_cannot_be_written(own_cache):
    own_cache.write_text("a file where the folder should be")
    with pytest.raises(MachineError) as caught:
        cache.model("m", lambda folder: None)
    assert "set SEVENFOLD_CACHE" in str(caught.value)


def test_a_remembered_digest_sees_a_change_of_the_same_size(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(b"one")
    before = cache.remembered_digest(path)
    assert cache.remembered_digest(path) == before
    path.write_bytes(b"two")
    assert cache.remembered_digest(path) != before
