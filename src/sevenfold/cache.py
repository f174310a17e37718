"""What is fetched or computed once and kept: models, rows as tokens, and the hashes of large files."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sevenfold.disk import machine_error
from sevenfold.record import file_digest, write_text

VARIABLE = "SEVENFOLD_CACHE"


def root() -> Path:
    """The cache's folder: ``$SEVENFOLD_CACHE``, else ``~/.cache/sevenfold``."""
    given = os.environ.get(VARIABLE)
    return Path(given).expanduser() if given else Path.home() / ".cache" / "sevenfold"


def model(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of a kept model; arguments and errors as :func:`kept`."""
    return kept("models", name, make)


def kept(kind: str, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made by ``make`` when it is not there.

    The folder appears whole or not at all: it is built under another name and renamed, and a second process that
    wants it waits for the first.

    Args:
        kind: The folder above it.
        name: The folder's name; it changes when the content would.
        make: Writes the content into an empty folder.

    Raises:
        MachineError: The cache cannot be written.
    """
    place = root() / kind / name
    with writable():
        if not place.is_dir():
            with locked(place):
                if not place.is_dir():
                    build(place, make)
        os.utime(place)
    return place


def found(kind: str, name: str) -> Path | None:
    """The folder that :func:`kept` made under this name; None where there is none."""
    place = root() / kind / name
    return place if place.is_dir() else None


def trim(kind: str, limit: int, spared: float = 3600.0) -> None:
    """Remove folders, the least recently asked for first, until what is left of a kind fits a limit.

    Args:
        kind: As for :func:`kept`.
        limit: Bytes.
        spared: Seconds; what was asked for since stays, a process may be about to open it.
    """
    places = [path for path in (root() / kind).iterdir() if path.is_dir() and not path.name.startswith(".")]
    sizes = {place: sum(path.stat().st_size for path in place.iterdir()) for place in places}
    for place in sorted(places, key=lambda place: place.stat().st_mtime):
        if sum(sizes.values()) <= limit or place.stat().st_mtime > time.time() - spared:
            return
        shutil.rmtree(place, ignore_errors=True)
        del sizes[place]


def build(place: Path, make: Callable[[Path], None]) -> None:
    """Make a folder beside ``place`` and give it its name when it is complete and on the disk."""
    unfinished = place.with_name(f".{place.name}.unfinished")
    # Left by a process that was killed: the lock is ours, so nobody works on it now.
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        make(unfinished)
        for path in unfinished.rglob("*"):
            if path.is_file():
                settle(path)
        unfinished.rename(place)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def settle(path: Path) -> None:
    """Wait until a file's bytes are on the disk, and let others read it."""
    path.chmod(0o644)
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold the right to make ``place``; waits while another process has it. A killed holder frees it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f".{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def writable() -> Iterator[None]:
    """Turn the operating system's refusals inside the block into an error that names the cache.

    Raises:
        MachineError: The disk is full or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        refused = machine_error(error, root())
        refused.next_step = f"free some space, or set {VARIABLE} to a folder with room that you can write"
        raise refused from error


def remembered_digest(path: Path) -> str:
    """The SHA-256 of a large file, remembered for its path, size and time of change.

    Weights of many gigabytes are hashed once, not at each command; a file that is touched or copied is hashed again
    and has its old fingerprint, so nothing is tuned anew, and a file that changed has another one.
    """
    status = path.stat()
    key = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
    note = root() / "digests" / hashlib.sha256(key.encode()).hexdigest()
    if not note.is_file():
        write_text(note, file_digest(path))
    return note.read_text(encoding="utf-8")
