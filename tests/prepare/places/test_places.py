"""Whoever does the work, and wherever: the same files, byte for byte; nobody left behind."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sevenfold.errors import DataError, MachineError
from sevenfold.prepare.places import PLACES
from sevenfold.prepare.stage import prepare
from sevenfold.record import Entry
from tests.prepare.conftest import section_of

ROWS = 11_000
WRITTEN = ("train.arrow", "validation.arrow", "test.arrow", "dropped.jsonl", "report.json", "version.json")
STEPS = ["unicode", "whitespace", "empty", {"length": 200}, "duplicates"]
MORE = ["pii", {"repeats": {"across": 20}}, *STEPS, "harmful"]
OWN = """
from sevenfold.prepare.clean import Dropped, Single

class Odd(Single):
    def start(self):
        return lambda row: Dropped("odd") if "13" in row.conversation.reference() else row
"""


def dirty(count: int) -> list[dict]:
    """Rows with blank replies, spaces, e-mail addresses and planted duplicates, the same at each call."""
    chance = random.Random(7)
    rows = []
    for number in range(count):
        what = number if chance.random() < 0.8 else chance.randrange(max(1, number))
        words = hashlib.sha256(str(what).encode()).hexdigest()
        text = " " if chance.random() < 0.02 else f"  {what}; ask a{what % 50}@b.ir {words}. This stands very often.  "
        rows.append({"prompt": f"سؤال {words[:30]}: what?\u200b", "completion": text, "label": "abc"[what % 3]})
    return rows


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in WRITTEN}


@pytest.fixture
def done(tmp_path, write_rows):
    def go(workers, rows=None, folder="a", **values):
        path = write_rows(rows or dirty(ROWS))
        section = section_of(source=path, workers=workers, **values)
        prepare(section, Entry(tmp_path / folder / "1-prepare"))
        return files(tmp_path / folder / "1-prepare")

    return go


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "_worker" in " ".join(child.cmdline())]


@pytest.mark.parametrize("clean", [STEPS, pytest.param(MORE, marks=pytest.mark.slow)], ids=["keys", "together"])
def test_several_processes_write_what_one_writes(done, clean):
    values = {"clean": clean, "near_duplicates": True, "split": {"how": {"stratified": "label"}}}
    one, two = done("here", folder="a", **values), done({"processes": 2}, folder="b", **values)
    report = json.loads(one["report.json"])
    assert report["dropped"]["duplicate"] > 1000
    assert report["dropped"]["empty_reply"] > 100
    assert one == two
    assert not children()


def test_what_a_step_drops_stands_in_the_order_of_the_rows(done):
    lines = done({"processes": 2}, clean=STEPS)["dropped.jsonl"].decode().splitlines()
    places = [int(json.loads(line)["origin"].rsplit(":", 1)[1]) for line in lines]
    assert len(places) > 1000
    assert places == sorted(places)


def test_a_user_s_step_works_in_the_processes(done, tmp_path):
    (tmp_path / "odd.py").write_text(OWN)
    clean = [{"file": str(tmp_path / "odd.py")}, "duplicates"]
    one, two = done("here", clean=clean, folder="a"), done({"processes": 2}, clean=clean, folder="b")
    assert json.loads(one["report.json"])["dropped"]["odd"] > 100
    assert one == two


def test_the_first_error_in_the_order_of_the_rows_is_told(done):
    rows = dirty(ROWS)
    rows[9_500]["prompt"], rows[10_500]["prompt"] = ["no text"], ["no text"]
    told = []
    for workers in ("here", {"processes": 2}):
        with pytest.raises(DataError) as caught:
            done(workers, rows=rows, unreadable=0)
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert "rows.jsonl:9501" in told[0]
    assert not children()


def test_few_rows_start_no_process(tmp_path, write_rows, monkeypatch):
    def never(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr("sevenfold.prepare.places.processes.Process", never)
    prepare(section_of(source=write_rows(dirty(8000)), workers={"processes": 2}), Entry(tmp_path / "run"))


class Deadly:
    """A job that ends the process which does it, at the last of its pieces."""

    def start(self):
        return lambda piece: os._exit(3) if piece == 19 else piece


class Slow:
    def start(self):
        return lambda piece: time.sleep(0.2) or piece


def test_the_death_of_a_worker_is_an_error_and_the_others_end():
    place = PLACES.find("processes")(number=2)
    with place.crew([]) as crew, pytest.raises(MachineError, match="exit status 3") as caught:
        list(crew.each(Deadly(), range(40)))
    assert "prepare.workers" in caught.value.next_step
    assert not children()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nobody_is_left_when_the_parent_is_stopped(how):
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from sevenfold.prepare.places import PLACES; from tests.prepare.places.test_places import Slow\n"
        "with PLACES.find('processes')(number=2).crew([]) as crew:\n"
        "    for piece in crew.each(Slow(), range(1000)):\n"
        "        print(piece, flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert parent.stdout is not None
    parent.stdout.readline()
    workers = psutil.Process(parent.pid).children()
    assert len(workers) == 2
    parent.send_signal(how)
    parent.wait(10)
    assert psutil.wait_procs(workers, timeout=5)[1] == []


@pytest.mark.slow
def test_two_workers_of_ray_write_what_one_process_writes(done, tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    (tmp_path / "odd.py").write_text(OWN)
    values = {"clean": [{"file": str(tmp_path / "odd.py")}, *STEPS], "near_duplicates": True}
    assert done("here", folder="a", **values) == done({"ray": 2}, folder="b", **values)
