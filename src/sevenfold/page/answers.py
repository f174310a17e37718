"""The answers file: one line for each thing that a person did, appended and synced before it counts.

The last line of an annotator about a row is what holds. An undo appends a line, marked ``"undone": true``, that says
again what held before. Nothing is ever rewritten, so a kill loses nothing that was confirmed; half a line that a kill
left is passed over, and counted.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from sevenfold.disk import machine_error
from sevenfold.errors import DataError


class Given(Protocol):
    """What every answer has, whatever was asked; a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def origin(self) -> str:
        """The row."""

    @property
    def annotator(self) -> str:
        """Who said it."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def at(self) -> str:
        """When, ISO 8601."""

    @property
    def note(self) -> str:
        """What else was said."""


A = TypeVar("A", bound=Given)
DAY = 86_400.0


def now() -> str:
    """The time in ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Log(ABC, Generic[A]):
    """The answers in a file, shared by threads and by processes.

    Args:
        path: The file; it is made at the first answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_bytes = 0
        self.broken = 0
        self.held: dict[str, dict[str, A]] = {}
        """For each row what holds of each annotator."""
        self.acts: dict[str, list[tuple[A, A | None]]] = {}
        """For each annotator the answers that can be undone, each with what held before it."""
        self.guard = threading.RLock()
        self.refresh()

    @abstractmethod
    def answer_of(self, row: Any) -> A:
        """The answer that a line's JSON says.

        Raises:
            DataError: It is none.
        """

    @abstractmethod
    def again(self, about: A, before: A | None) -> A:
        """What an undo of ``about`` says: what held before, or that nothing did."""

    def refresh(self) -> None:
        """Take in what others have appended since."""
        with self.guard:
            try:
                with self.path.open("rb") as file:
                    file.seek(self.read_bytes)
                    self.take(file.read())
            except FileNotFoundError:
                return
            except OSError as error:
                raise machine_error(error, self.path) from error

    def take(self, found: bytes) -> None:
        """Take in whole lines; the beginning of one waits for its end."""
        whole = found[: found.rfind(b"\n") + 1]
        self.read_bytes += len(whole)
        for line in whole.splitlines():
            if line.strip():
                self.note(line)

    def note(self, line: bytes) -> None:
        """Take in one line; one that is no answer is counted."""
        try:
            row = json.loads(line)
            answer = self.answer_of(row)
        except (ValueError, DataError, RecursionError):
            self.broken += 1
            return
        acts = self.acts.setdefault(answer.annotator, [])
        before = self.held.get(answer.origin, {}).get(answer.annotator)
        if row.get("undone"):
            # By its place: an answer given twice within a second is there twice, with other answers before it.
            places = [place for place, (act, _) in enumerate(acts) if act.origin == answer.origin]
            self.hold(answer, acts.pop(places[-1])[1] if places else None)
        else:
            acts.append((answer, before))
            self.hold(answer, answer)

    def hold(self, about: A, answer: A | None) -> None:
        """What holds now of one annotator about one row."""
        of_row = self.held.setdefault(about.origin, {})
        if answer is None:
            of_row.pop(about.annotator, None)
        else:
            of_row[about.annotator] = answer

    def append(self, answers: Iterable[A], **marks: bool) -> None:
        """Append answers, all or none of them confirmed: they are on the disk when this returns.

        Args:
            answers: What was said.
            **marks: More keys of each line.

        Raises:
            MachineError: The file cannot be written or the disk is full.
        """
        lines = "".join(json.dumps({**asdict(answer), **marks}, ensure_ascii=False) + "\n" for answer in answers)
        with self.guard:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a+b") as file:
                    fcntl.flock(file, fcntl.LOCK_EX)
                    file.write(b"\n" * unfinished(file) + lines.encode("utf-8", "surrogatepass"))
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                raise machine_error(error, self.path) from error
            self.refresh()

    def undo(self, annotator: str) -> str | None:
        """Take an annotator's last answer back; gives its row, None when there is nothing to undo."""
        with self.guard:
            self.refresh()
            acts = self.acts.get(annotator)
            if not acts:
                return None
            about, before = acts[-1]
            self.append([self.again(about, before)], undone=True)
            return about.origin

    def of(self, origin: str, annotator: str) -> A | None:
        """What holds of an annotator about a row."""
        return self.held.get(origin, {}).get(annotator)


def unfinished(file: Any) -> int:
    """1 when a file ends inside of a line, as a kill can leave it; 0 otherwise."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return 0
    file.seek(size - 1)
    return int(file.read(1) != b"\n")


def seconds_of(value: object) -> float:
    """How long an answer took, as a page says it: 0 to a day, 0 where it is no number."""
    return round(min(max(float(value), 0.0), DAY), 2) if isinstance(value, int | float) else 0.0
