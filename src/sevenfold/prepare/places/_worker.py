"""A worker process: takes pieces from its standard input and writes their results, in order, to its output.

It is started as a program of its own, not forked: a fork would copy locks that other threads hold, and the ways of
``multiprocessing`` would run the caller's script a second time. It reads only what its parent sends, and ends when
the parent does.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from sevenfold.registry import load_module

GONE = object()


def main() -> None:
    """Work until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, who then ends its workers.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # What a step prints must not stand between results.
    pieces: SimpleQueue[Any] = SimpleQueue()
    # Input is taken at once, so that parent and worker never both wait for the other to read.
    Thread(target=receive, args=(sys.stdin.buffer, pieces), daemon=True).start()
    work: Callable[[Any], Any] | None = None
    while (message := pieces.get()) is not GONE:
        kind, content = message
        if kind == "job":
            work, failed = started(content)
            continue
        answer(results, failed or done(work, content))


def receive(pipe: BinaryIO, pieces: SimpleQueue[Any]) -> None:
    """Everything that the parent sends, in order."""
    try:
        while True:
            pieces.put(pickle.load(pipe))  # noqa: S301 - written by the process that started this one
    except (EOFError, OSError, pickle.UnpicklingError):
        pieces.put(GONE)


def started(content: tuple[list[tuple[str, str]], bytes]) -> tuple[Callable[[Any], Any] | None, Any]:
    """The function of a job, or why there is none."""
    files, job = content
    try:
        for name, path in files:
            if name not in sys.modules:
                load_module(name, path)
        return pickle.loads(job).start(), None  # noqa: S301 - the same
    except Exception as error:  # noqa: BLE001 - told to the process that asked
        return None, ("failed", error)


def done(work: Callable[[Any], Any] | None, piece: bytes) -> tuple[str, Any]:
    """What became of a piece."""
    try:
        assert work is not None
        return "done", work(pickle.loads(piece))  # noqa: S301 - the same
    except Exception as error:  # noqa: BLE001 - told to the process that asked
        return "failed", error


def answer(results: BinaryIO, result: tuple[str, Any]) -> None:
    """Send a result; one that cannot be sent is said."""
    try:
        data = pickle.dumps(result, protocol=5)
    except Exception as error:  # noqa: BLE001 - told to the process that asked
        data = pickle.dumps(("failed", RuntimeError(f"{type(result[1]).__name__} cannot be sent: {error}")))
    try:
        results.write(data)
        results.flush()
    except OSError:
        os._exit(1)  # The parent is gone; nobody is left to tell.


if __name__ == "__main__":
    main()
