"""What the file system refuses, told as the user's error; and what a killed process left in it."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from sevenfold.errors import MachineError

FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)


def machine_error(error: OSError, path: Path) -> MachineError:
    """An operating system's refusal to write, with what to do about it."""
    if error.errno in FULL:
        free = shutil.disk_usage(nearest_folder(path)).free
        return MachineError(
            f"the disk is full: {free / 1e6:,.0f} MB are left",
            where=str(path),
            next_step="free some space, then rerun; done work is kept",
        )
    if error.errno in CLOSED:
        return MachineError(
            f"cannot write: {error.strerror}",
            where=str(path),
            next_step="choose another folder with --runs, or change its permissions",
        )
    return MachineError(f"{error.strerror or error}", where=str(path))


def refusal(error: Exception, path: Path) -> MachineError | None:
    """The system's refusal behind an error; None when it is something else.

    Args:
        error: An operating system's error, or a library's own error that tells of a full disk.
        path: What was written, for errors that do not name their file.
    """
    if isinstance(error, OSError) and error.errno in FULL + CLOSED:
        return machine_error(error, Path(error.filename or path))
    if os.strerror(errno.ENOSPC) in str(error):
        return machine_error(OSError(errno.ENOSPC, ""), path)
    return None


@contextlib.contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Tell of a full or closed disk as the user's error, whichever library met it.

    Raises:
        MachineError: The disk is full, or a file cannot be read or written.
    """
    try:
        yield
    except MachineError:
        raise
    except Exception as error:
        refused = refusal(error, path)
        if refused is None:
            raise
        raise refused from error


def nearest_folder(path: Path) -> Path:
    """The deepest folder above ``path`` that exists."""
    return next(folder for folder in (path, *path.resolve().parents) if folder.is_dir())


def sweep(paths: Iterable[Path]) -> None:
    """Remove what a killed process was writing; temporary names begin with a point."""
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
