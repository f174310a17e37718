"""Sources: where rows come from. One file each; the file's name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from sevenfold.prepare.files import find_files
from sevenfold.record import file_digest
from sevenfold.registry import Registry
from sevenfold.schema import Component


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands in its source.

    Args:
        values: Column to value.
        origin: Where it stands: ``file:line``.
    """

    values: dict[str, Any]
    origin: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source may say while it is read.

    Args:
        advance: Told how many more bytes were read.
        note: A sentence for the record (a delimiter that was found).
        warn: A sentence that asks for attention (a file that was passed over).
    """

    advance: Callable[[int], None]
    note: Callable[[str], None]
    warn: Callable[[str], None]


class Source(Component):
    """Rows from one kind of place."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    """Extensions by which a plain path chooses this source."""

    @abstractmethod
    def rows(self, reading: Reading) -> Iterator[RawRow]:
        """The rows in order, one at a time.

        Raises:
            DataError: Something cannot be read; the place is said.
        """

    @abstractmethod
    def size(self) -> int:
        """Bytes on disk: the total of what ``reading.advance`` will be told."""

    @abstractmethod
    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of everything that is read, by path: changed data gives the stage a new identity."""


class FileSource(Source):
    """Rows from files: one file, a folder, or a glob."""

    main = "path"
    path: str = Field(description="A file, a folder or a glob.")

    def files(self) -> list[Path]:
        """The files, sorted."""
        return find_files(self.path, self.suffixes)

    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self.files())

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of each file."""
        return {str(file): file_digest(file) for file in self.files()}

    def rows(self, reading: Reading) -> Iterator[RawRow]:
        """The rows of every file."""
        for file in self.files():
            yield from self.read(file, reading)

    @abstractmethod
    def read(self, file: Path, reading: Reading) -> Iterator[RawRow]:
        """The rows of one file."""


SOURCES = Registry(__name__, Source)
