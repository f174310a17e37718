"""The run's record: what went into and came out of each stage, and the folder it all lies in.

``runs/NAME/record.json`` holds one :class:`StageRecord` for each stage that ran. A stage's result has an identity, a
hash of its section, of its inputs' identities and of the code that made it; the pipeline reuses a result whose
identity is the one it would make again. Files are written under another name and renamed, so a killed process
leaves either the old file or the new one.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from sevenfold.console import Console
from sevenfold.disk import machine_error, refusals
from sevenfold.errors import MachineError, RecipeError

RESULT_FILE = "result.json"
R = TypeVar("R", bound="Result")


def digest(value: object) -> str:
    """The SHA-256 of a JSON value, 64 hexadecimal digits; key order does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its name when the block ends well (atomic on one file system).

    Raises:
        MachineError: The folder cannot be written or the disk is full.
    """
    handle, name = None, None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        yield Path(name)
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
        name = None
    except OSError as error:
        raise machine_error(error, path) from error
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with writing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write a JSON file atomically, readable by people."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


class Result(BaseModel):
    """What a stage gives: facts in ``result.json`` and files beside it, so a run can be moved as a folder."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), arbitrary_types_allowed=True)
    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """Where the result's files lie."""
        return self._folder

    def save(self, folder: Path) -> Self:
        """Write the facts into ``folder``, which holds the files already."""
        write_text(folder / RESULT_FILE, self.model_dump_json(indent=2) + "\n")
        return self.at(folder)

    def at(self, folder: Path) -> Self:
        """The result with its files in ``folder``, before or after it is saved."""
        self._folder = folder
        return self

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read a result back."""
        return cls.model_validate_json((folder / RESULT_FILE).read_text(encoding="utf-8")).at(folder)


class StageRecord(BaseModel):
    """What the record keeps of one stage.

    ``origins`` says of each value of the section whether it was given, a default, or set on the command line;
    ``before`` is the identity of the whole result that this one superseded.
    """

    name: str
    identity: str
    parents: dict[str, str] = Field(default_factory=dict)
    before: str | None = None
    section: dict[str, Any] = Field(default_factory=dict)
    origins: dict[str, str] = Field(default_factory=dict)
    state: str = "running"  # running, done, failed
    started: str = ""
    seconds: float = 0.0
    metrics: dict[str, Any] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    proofs: list[dict[str, Any]] = Field(default_factory=list)
    machine: dict[str, Any] = Field(default_factory=dict)
    error: str | None = None


class Entry:
    """A stage's own view of the record while it runs: its folder, its notes, its metrics, its progress."""

    def __init__(self, folder: Path, console: Console | None = None, record: StageRecord | None = None) -> None:
        self.folder = folder
        self.console = console or Console(quiet=True)
        self.record = record or StageRecord(name=folder.name, identity="")

    def note(self, text: str) -> None:
        """A sentence worth keeping: said now, kept in the record, shown in the report."""
        self.record.notes.append(text)
        self.console.say(f"  {text}")

    def warn(self, text: str) -> None:
        """A note that asks for attention."""
        self.record.notes.append(f"warning: {text}")
        self.console.warn(text)

    def metric(self, name: str, value: object) -> None:
        """A figure of the stage, JSON-serialisable; the unit is part of the name (``peak_memory_bytes``)."""
        self.record.metrics[name] = value


class Record:
    """``record.json`` of one run.

    Args:
        folder: The run's folder, for example ``runs/demo``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "record.json"
        self.name = folder.name
        self.stages: dict[str, StageRecord] = {}
        if self.path.exists():
            self.read()

    def read(self) -> None:
        """Take what ``record.json`` holds."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            self.stages = {name: StageRecord(**stage) for name, stage in kept["stages"].items()}
        except (ValueError, KeyError, TypeError) as error:
            raise MachineError(
                f"the record cannot be read: {error}",
                where=str(self.path),
                next_step="move the file away and rerun; results are checked again",
            ) from error

    @classmethod
    def open(cls, folder: Path) -> Record:
        """The record of a run that exists.

        Raises:
            RecipeError: There is no such run; the runs beside it are listed.
        """
        if not (folder / "record.json").is_file():
            beside = sorted(path.parent.name for path in folder.parent.glob("*/record.json"))
            raise RecipeError(
                f"there is no run {str(folder)!r}",
                value=folder.name,
                alternatives=beside,
                next_step="sevenfold run RECIPE",
            )
        return cls(folder)

    def stage_folder(self, name: str) -> Path:
        """The folder of a stage by its name, for example ``runs/demo/4-tune``."""
        found = sorted(self.folder.glob(f"[1-7]-{name}"))
        if not found:
            raise RecipeError(f"the run {self.name!r} has no stage {name!r} yet", next_step=f"sevenfold {name} RECIPE")
        return found[0]

    def write(self) -> None:
        """Write ``record.json`` atomically."""
        write_json(self.path, self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The record as one JSON object."""
        return {
            "name": self.name,
            "stages": {name: stage.model_dump() for name, stage in self.stages.items()},
        }

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run: a second process that wants to write it is told so.

        Raises:
            MachineError: Another process works on this run.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("w")
        except OSError as error:
            raise machine_error(error, self.folder) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise MachineError(
                    f"the run {self.name!r} is in use by another process",
                    where=str(self.folder),
                    next_step="wait for it, or give this run another name",
                ) from None
            yield

    @contextlib.contextmanager
    def stage(self, stage: StageRecord, folder: Path, console: Console) -> Iterator[Entry]:
        """Record one stage while it runs; its end, its time or its error is written whatever happens."""
        started = time.monotonic()
        stage.started = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.stages[stage.name] = stage
        self.write()
        try:
            with refusals(folder):
                yield Entry(folder, console, stage)
            stage.state = "done"
        except BaseException as error:
            stage.state, stage.error = "failed", f"{type(error).__name__}: {error}"
            raise
        finally:
            stage.seconds = round(time.monotonic() - started, 3)
            self.write()


@cache
def code_digest(*packages: str) -> str:
    """The hash of the source of some packages of this library; comments and layout do not count.

    Args:
        packages: Folders below ``sevenfold``, for example ``tune``.
    """
    root = Path(__file__).parent
    files = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    parsed = {str(path.relative_to(root)): ast.dump(ast.parse(path.read_text(encoding="utf-8"))) for path in files}
    return digest(parsed)


def set_aside(folder: Path, identity: str) -> Path | None:
    """Move a superseded result into the run's ``history``, where the same identity finds it again."""
    if not folder.exists():
        return None
    place = history(folder, identity)
    if place.exists():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(place)
    return place


def history(folder: Path, identity: str) -> Path:
    """Where a superseded result of a stage is kept."""
    return folder.parent / "history" / f"{folder.name}-{identity[:16]}"
