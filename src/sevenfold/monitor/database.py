"""What SQLite leaves to us: whose turn it is to open a file, and errors that a person understands."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sevenfold.disk import machine_error
from sevenfold.errors import MachineError


@contextlib.contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Wait for the turn among the processes that open a store in this folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say about the file into the user's error."""
    try:
        yield
    except OSError as error:
        raise machine_error(error, path) from error
    except sqlite3.DatabaseError as error:
        steps = {
            "SQLITE_FULL": "free some space on the disk",
            "SQLITE_READONLY": "change the permissions of the file and of its folder",
            "SQLITE_CANTOPEN": "change the permissions of the folder, or choose another with --runs",
            "SQLITE_BUSY": "another process writes without end; find it, then rerun",
        }
        kind = getattr(error, "sqlite_errorname", "")
        step = next((text for name, text in steps.items() if kind.startswith(name)), None)
        raise MachineError(
            f"the traffic store cannot be used: {error}",
            where=str(path),
            next_step=step or "move the file away and rerun; a new one is made",
        ) from error
