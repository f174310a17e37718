"""Code that a model wrote, run in a process of its own with little to spend and nothing to see.

It is a limit, not a jail. What holds everywhere: time, memory, the size of files, an empty environment, a temporary
folder, and the whole group of processes is killed at the end. What Linux adds where it can, without privileges: no new
processes and no sockets (seccomp), no file outside of Python's own and of the temporary folder (Landlock), no network
device and no rights of root (namespaces). What it is not: a program that knows an error of the kernel gets out, and one
that knows how it is graded can say that it passed. Code of a stranger who means harm belongs on a machine of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from sevenfold.errors import MachineError

INSIDE = Path(__file__).with_name("inside.py")
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""All that the code finds in its environment: with a thread a core, an import of numpy takes all memory there is."""
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What code may spend.

    Args:
        seconds: Time on the clock; of the processor as well.
        memory: Bytes of address space.
        file: Bytes of a file that it writes.
    """

    seconds: float = 10.0
    memory: int = 1024 * MEBIBYTE
    file: int = MEBIBYTE


def passes(parts: Sequence[str], limits: Limits) -> bool:
    """Whether pieces of Python run one after the other, in one namespace, to the end of the last without an error.

    Args:
        parts: The code, then its tests. Each is compiled for itself, so that none swallows the next.
        limits: What it may spend.

    Raises:
        MachineError: No process can be limited here.
    """
    if sys.platform == "win32":
        raise MachineError("code is run with limits that Windows has not", next_step="run it on Linux or macOS")
    word = secrets.token_hex(16)
    reading, writing = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, os.fdopen(reading, "rb") as told:
        order = {"parts": list(parts), "word": word, "pipe": writing, "folder": folder, **asdict(limits)}
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", str(INSIDE)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=folder,
                env=ENVIRONMENT,
                pass_fds=(writing,),
                start_new_session=True,
            )
        finally:
            os.close(writing)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(json.dumps(order).encode(), timeout=limits.seconds)
        finally:
            end(process)
        os.set_blocking(told.fileno(), False)
        return process.returncode == 0 and told.read(len(word)) == word.encode()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it began."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    if process.stdin:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def all_pass(programs: Sequence[Sequence[str]], limits: Limits) -> list[bool]:
    """Which programs pass; as many run at once as there are cores for this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(lambda parts: passes(parts, limits), programs))
