"""Sources: where rows come from. One file each; the file's name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, find_files, fingerprint
from sevenfold.prepare.packed import checked_archive
from sevenfold.prepare.remote import without_secret
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
class Unreadable:
    """A row, or what is left of a file, that cannot be read; the stage counts it, writes it down and goes on.

    Args:
        error: What is wrong, with its place.
        text: What stands there, as far as it is text.
        reason: Under which word it is counted among the dropped rows.
        rest: Whether nothing behind it in its file is read either.
    """

    error: DataError
    text: str = ""
    reason: str = "unreadable"
    rest: bool = False

    @property
    def origin(self) -> str:
        """Where it stands."""
        return str(self.error.where)


Found = RawRow | Unreadable
"""What a source gives: rows, and places where there should have been one."""


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
    def rows(self, reading: Reading) -> Iterator[Found]:
        """The rows in order, one at a time; a row that cannot be read is given as :class:`Unreadable`.

        Raises:
            DataError: Nothing can be read: the recipe names what is not there; the place is said.
        """

    @abstractmethod
    def size(self) -> int:
        """Bytes on disk: the total of what ``reading.advance`` will be told."""

    @abstractmethod
    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of everything that is read, by path: changed data gives the stage a new identity."""


class FileSource(Source):
    """Rows from files: one file, a folder, a glob, a ZIP archive, or objects in a store (``s3://bucket/key``)."""

    main = "path"
    path: Annotated[str, AfterValidator(without_secret)] = Field(
        description="A file, a folder, a glob, an archive, or s3://bucket/key."
    )

    def files(self) -> list[File]:
        """The files, sorted."""
        return find_files(self.path, self.suffixes)

    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file in self.files())

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of each file."""
        return {str(file): fingerprint(file) for file in self.files()}

    def rows(self, reading: Reading) -> Iterator[Found]:
        """The rows of every file; a file that breaks off is a finding, and the next one is read."""
        for file in self.files():
            try:
                checked_archive(file, self.suffixes)
                yield from self.read(file, reading)
            except DataError as error:
                yield Unreadable(error if error.where else error.at(str(file)), rest=True)

    @abstractmethod
    def read(self, file: File, reading: Reading) -> Iterator[Found]:
        """The rows of one file.

        Raises:
            DataError: Nothing more of the file can be read.
        """


SOURCES = Registry(__name__, Source)
