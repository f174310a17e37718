"""Code that behaves runs; code that does not is ended, and does no harm."""

from __future__ import annotations

import os
import platform
import sys
import time

import psutil
import pytest

from sevenfold.evaluate.sandbox import MEBIBYTE, Limits, all_pass, passes

LIMITS = Limits(seconds=5, memory=512 * MEBIBYTE, file=MEBIBYTE)
SHORT = Limits(seconds=0.7, memory=512 * MEBIBYTE, file=MEBIBYTE)
linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="Linux alone closes these"
)


@pytest.mark.parametrize(
    ("code", "tests", "right"),
    [
        ("def add(a, b):\n    return a + b", "assert add(1, 2) == 3", True),
        ("def add(a, b):\n    return a - b", "assert add(1, 2) == 3", False),
        ("import json, math, re, collections, itertools", "assert math.sqrt(4) == 2", True),
        ("def add(a, b:", "assert True", False),
        ("x = '''", "'''\nassert True", False),  # an open string does not swallow the tests
        ("from __future__ import annotations\nx: nothing = 1", "assert x == 1", True),
        ("if __name__ == '__main__':\n    found = 1", "assert found", True),
        ("open('here.txt', 'w').write('text')", "assert open('here.txt').read() == 'text'", True),
        ("import threading\nt = threading.Thread(target=print)\nt.start(); t.join()", "assert True", True),
        ("سلام = 'درود'", "assert سلام == 'درود'", True),
    ],
)
def test_code_is_run_with_its_tests(code, tests, right) -> None:
    assert passes([code, tests], LIMITS) is right


@pytest.mark.parametrize(
    "code",
    ["import sys; sys.exit(0)", "import os; os._exit(0)", "raise SystemExit", "import os; os.kill(os.getpid(), 9)"],
)
def test_who_leaves_before_the_tests_has_not_passed(code) -> None:
    assert not passes([code, "assert True"], LIMITS)


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(60)",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import signal\nfor one in range(1, 32):\n    try: signal.signal(one, signal.SIG_IGN)\n"
        "    except OSError: pass\nwhile True: pass",
        "while True: print('x' * 10000)",
    ],
)
def test_what_does_not_end_is_ended(code) -> None:
    began = time.monotonic()
    assert not passes([code, "assert True"], SHORT)
    assert time.monotonic() - began < 3


def test_memory_is_limited() -> None:
    assert not passes(["x = bytearray(2 << 30)", "assert True"], LIMITS)
    assert passes(["x = bytearray(2 << 20)", "assert True"], LIMITS)
    assert not passes(["x = []\nwhile True: x.append(bytearray(100 << 20))", "assert True"], LIMITS)


def test_files_are_limited() -> None:
    assert not passes(["open('big', 'wb').write(bytes(2 << 20)); import os; os.sync", "assert True"], LIMITS)


@linux
def test_a_fork_bomb_makes_no_process() -> None:
    before = len(psutil.pids())
    assert not passes(["import os\nwhile True: os.fork()", "assert True"], SHORT)
    bomb = "import os\nmade = 0\nfor _ in range(50):\n    try: made += os.fork() > 0\n    except OSError: pass"
    assert passes([bomb, "assert made == 0"], LIMITS)
    assert passes(["import threading", "assert True"], LIMITS)
    assert len(psutil.pids()) < before + 40


@linux
@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.run(['true'])",
        "import os\nos.execv('/bin/true', ['true'])",
        "import socket\nsocket.socket()",
        "import os\nos.kill(1, 0)",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))",
    ],
)
def test_what_reaches_out_is_refused(code) -> None:
    assert not passes([code, "assert True"], LIMITS)


def test_the_environment_is_empty(monkeypatch) -> None:
    monkeypatch.setenv("SEVENFOLD_SECRET", "hidden")
    assert passes(["import os", "assert 'SEVENFOLD_SECRET' not in os.environ and 'HOME' not in os.environ"], LIMITS)


@linux
def test_the_environment_of_who_started_it_is_closed() -> None:
    parent = f"open('/proc/{os.getpid()}/environ', 'rb').read()"
    assert not passes([parent, "assert True"], LIMITS)


@linux
def test_other_files_are_closed(tmp_path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden", encoding="utf-8")
    assert not passes([f"open({str(secret)!r}).read()", "assert True"], LIMITS)
    assert not passes([f"open({str(secret)!r}, 'w')", "assert True"], LIMITS)
    assert not passes([f"import os; os.remove({str(secret)!r})", "assert True"], LIMITS)
    assert secret.read_text(encoding="utf-8") == "hidden"


def test_many_run_at_once_and_keep_their_order() -> None:
    programs = [[f"x = {number}", f"assert x % 3 == {number % 2}"] for number in range(6)]
    assert all_pass(programs, LIMITS) == [number % 3 == number % 2 for number in range(6)]
