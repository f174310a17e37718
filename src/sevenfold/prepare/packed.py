"""Compressed files and ZIP archives: unpacked as a stream, with a limit on what a small file may grow to."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from sevenfold.errors import DataError, first_line

if TYPE_CHECKING:
    from sevenfold.prepare.files import Counted, File

STREAMS = (".gz", ".bz2", ".xz", ".zst")
"""Extensions of files that hold one compressed file."""
ARCHIVE = ".zip"
MOST_RATIO = 200
"""Text shrinks to a tenth, repetitive logs to a hundredth; a file that grows more than this was made to fill memory."""
SMALL = 64 << 20
"""Bytes that any file may unpack to, whatever its ratio."""
UNREADABLE = (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What the standard library's and Arrow's decompressors raise for bytes that they cannot read."""


@contextmanager
def locating(file: object) -> Iterator[None]:
    """Turn what a decompressor or the system says of a file into an error that names the file.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        yield
    except UNREADABLE as error:
        said = first_line(error)
        raise DataError(f"the file cannot be read: {said}", where=str(file)) from error


def swollen(file: object, packed: int, unpacked: int) -> None:
    """Refuse what grows too much.

    Raises:
        DataError: More bytes than any real text would give.
    """
    if unpacked > SMALL and unpacked > MOST_RATIO * max(packed, 1):
        raise DataError(
            f"{packed:,} packed bytes grow to more than {unpacked:,}",
            where=str(file),
            expected=f"at most {MOST_RATIO} times the packed size",
            next_step="if the file is meant to be so, unpack it and name the unpacked file",
        )


def unpacker(plain: BinaryIO, suffix: str) -> BinaryIO:
    """The decompressed bytes of a stream, by the extension of its file."""
    if suffix == ".zst":
        import pyarrow

        return cast(BinaryIO, pyarrow.input_stream(plain, compression="zstd"))
    if suffix == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=plain))
    return cast(BinaryIO, bz2.BZ2File(plain) if suffix == ".bz2" else lzma.LZMAFile(plain))


class Unpacked(io.RawIOBase):
    """A compressed file's content, which may not grow too much.

    Args:
        packed: The file's bytes, which knows how many were read.
        plain: The same, buffered.
        file: The file, for its name.
    """

    def __init__(self, packed: Counted, plain: BinaryIO, file: File) -> None:
        super().__init__()
        self.packed, self.file, self.count = packed, file, 0
        self.stream = unpacker(plain, file.suffix.lower())

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with the next bytes."""
        count = self.stream.readinto(buffer) or 0  # type: ignore[attr-defined]
        self.count += count
        swollen(self.file, self.packed.count, self.count)
        return count

    def close(self) -> None:
        """Close the decompressor."""
        self.stream.close()
        super().close()


class Member:
    """A file inside a ZIP archive, used as a path is.

    Args:
        archive: The archive.
        info: The file's entry.
    """

    def __init__(self, archive: File, info: zipfile.ZipInfo) -> None:
        self.archive, self.info = archive, info
        self.name, self.suffix = PurePosixPath(info.filename).name, PurePosixPath(info.filename).suffix

    def __str__(self) -> str:
        return f"{self.archive}/{self.info.filename}"

    def stat(self) -> os.stat_result:
        """Its size, unpacked."""
        return sized(self.info.file_size)

    def open(self, mode: str = "rb", buffering: int = -1) -> BinaryIO:
        """Its bytes, which are checked against the archive's checksum as they are read."""
        if self.info.flag_bits & 1:
            raise DataError("the file is encrypted", where=str(self), next_step="unpack it with its password first")
        with opened_archive(self.archive) as archive:
            return cast(BinaryIO, archive.open(self.info))

    def fingerprint(self) -> str:
        """SHA-256 of its content; where that cannot be read, what the archive says of it."""
        try:
            with locating(self), self.open() as file:
                return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        except DataError:
            return f"unreadable, CRC {self.info.CRC:08x}, {self.info.file_size} bytes"


def sized(count: int) -> os.stat_result:
    """A status that says the size and nothing else."""
    return os.stat_result((0,) * 6 + (count,) + (0,) * 3)


def opened_archive(file: File) -> zipfile.ZipFile:
    """An archive for reading."""
    return zipfile.ZipFile(file.open("rb"))


def entries(file: File) -> list[zipfile.ZipInfo]:
    """The files in an archive, in the order of their names; hidden ones excluded.

    Raises:
        DataError: It is no archive, or its content would be far larger than it.
    """
    try:
        with opened_archive(file) as archive:
            infos = archive.infolist()
            found = [info for info in infos if info.filename and not info.is_dir() and not is_hidden(info.filename)]
    except (*UNREADABLE, ValueError, IndexError, struct.error) as error:
        raise DataError(f"the archive cannot be read: {error}", where=str(file)) from error
    swollen(file, file.stat().st_size, sum(info.file_size for info in found))
    return sorted(found, key=lambda info: info.filename)


def checked_archive(file: File, suffixes: tuple[str, ...]) -> None:
    """Refuse an archive that is listed as a file because it could not be opened.

    Raises:
        DataError: What is wrong with it.
    """
    if file.suffix.lower() == ARCHIVE and ARCHIVE not in suffixes and not isinstance(file, Member):
        entries(file)
        raise DataError("the archive holds nothing that can be read", where=str(file))


def is_hidden(name: str) -> bool:
    """Whether an entry is what systems add by themselves: names with a dot before them, ``__MACOSX``."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def members(file: File, suffixes: tuple[str, ...], plain: object) -> list[Member]:
    """The files of an archive that a source reads; the only one, whatever it is called.

    Args:
        file: The archive.
        suffixes: Extensions that the source reads.
        plain: Gives a name's extension without that of its compression.

    Raises:
        DataError: It has no such file.
    """
    inside = [Member(file, info) for info in entries(file)]
    chosen = [member for member in inside if plain(member) in suffixes]  # type: ignore[operator]
    if not chosen and len(inside) == 1:
        return inside
    if not chosen:
        raise DataError(
            f"the archive has no file that ends with {' or '.join(suffixes)}",
            where=str(file),
            alternatives=[member.info.filename for member in inside[:20]],
            next_step="choose the source that reads what is in it",
        )
    return chosen
