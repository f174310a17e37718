"""Sources: where rows come from. One file each; the file's name is its name in the recipe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from sevenfold.prepare.files import File, find_files, fingerprint
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

    def rows(self, reading: Reading) -> Iterator[RawRow]:
        """The rows of every file."""
        for file in self.files():
            yield from self.read(file, reading)

    @abstractmethod
    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The rows of one file."""


SOURCES = Registry(__name__, Source)
