"""Files that sources read: found by path, folder or glob; opened with their progress; fingerprinted."""

from __future__ import annotations

import glob
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from sevenfold.errors import DataError
from sevenfold.prepare.packed import ARCHIVE, STREAMS, Member, Unpacked, entries, locating, members
from sevenfold.prepare.remote import Remote, find_objects, is_remote
from sevenfold.record import file_digest

File = Path | Member | Remote
"""What a source reads: a file, one inside an archive, or an object in a store; all have a name and can be opened."""

BUFFER = 1 << 20
GUESSES = ("utf-8", "cp1252", "cp1256", "cp1251", "gb18030", "shift_jis")
"""Encodings that are tried on a line that the given one cannot read, to suggest those that can."""


def plain_suffix(file: File) -> str:
    """The file's extension without the one of its compression: ``rows.jsonl.gz`` is ``.jsonl``."""
    packed = file.suffix.lower() in (*STREAMS, ARCHIVE)
    return Path(file.name.removesuffix(file.suffix) if packed else file.name).suffix.lower()


def plain_suffixes(file: Path) -> set[str]:
    """The extension of a file; of an archive those of what is in it."""
    if file.suffix.lower() == ARCHIVE and file.is_file():
        return {plain_suffix(Member(file, info)) for info in entries(file)}
    return {plain_suffix(file)}


def may_hold(file: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether a file of a folder is read; a broken archive may hold anything, and is not passed over."""
    try:
        return not plain_suffixes(file).isdisjoint(suffixes)
    except DataError:
        return True


def find_files(text: str, suffixes: tuple[str, ...]) -> list[File]:
    """The files behind a path: the file itself, a folder's files with these extensions, or a glob's matches.

    An archive stands for the files in it.

    Args:
        text: A file, a folder (searched in depth, hidden files excluded), a glob, or the address of objects.
        suffixes: The extensions that count in a folder, for example ``(".csv",)``.

    Raises:
        DataError: Nothing is there; what lies beside it is listed and the nearest name suggested.
    """
    found = find_objects(text, suffixes) if is_remote(text) else find_paths(text, suffixes)
    if len(found) == 1:
        return inside(found[0], suffixes)
    return [item for file in found for item in inside_or_itself(file, suffixes)]


def inside(file: File, suffixes: tuple[str, ...]) -> list[File]:
    """The file, or what a source reads of an archive (unless the source reads archives themselves)."""
    if file.suffix.lower() != ARCHIVE or ARCHIVE in suffixes:
        return [file]
    return [*members(file, suffixes, plain_suffix)]


def inside_or_itself(file: File, suffixes: tuple[str, ...]) -> list[File]:
    """The same of one file of many; an archive that cannot be opened stays in the list, to be told when it is read."""
    try:
        return inside(file, suffixes)
    except DataError:
        return [file]


def find_paths(text: str, suffixes: tuple[str, ...]) -> list[Path]:
    """The same on this machine, archives as they are."""
    path = Path(text).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        visible = (file for file in path.rglob("*") if file.is_file() and not is_hidden(file, path))
        found = sorted(file for file in visible if may_hold(file, suffixes))
    else:
        found = sorted(Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file())
    if not found:
        raise missing(path, suffixes)
    return found


def fingerprint(file: File) -> str:
    """SHA-256 of a file's bytes; of an object the store's own mark of its content."""
    return file_digest(file) if isinstance(file, Path) else file.fingerprint()


def is_hidden(file: Path, root: Path) -> bool:
    """Whether the file or a folder between it and ``root`` begins with a dot."""
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def missing(path: Path, suffixes: tuple[str, ...]) -> DataError:
    """The error for a path that leads to no file."""
    if path.is_dir():
        kinds = sorted({plain_suffix(file) or file.name for file in path.iterdir()})
        return DataError(
            f"the folder {str(path)!r} has no file that ends with {' or '.join(suffixes)}",
            where=str(path),
            alternatives=kinds[:20],
            next_step="name a file or a glob, or choose the source that reads these files",
        )
    parent = path.parent
    beside = sorted(file.name for file in parent.iterdir()) if parent.is_dir() else []
    return DataError(
        f"there is no file {str(path)!r}",
        where=str(parent.resolve()) if parent.is_dir() else f"the folder {str(parent)!r} is not there either",
        value=path.name,
        alternatives=beside[:20],
        next_step="check prepare.source; a relative path starts at the folder where you run sevenfold",
    )


class Counted(io.RawIOBase):
    """A file's bytes, each read reported to ``advance``."""

    def __init__(self, path: File, advance: Callable[[int], None]) -> None:
        super().__init__()
        self.file = cast(io.RawIOBase, path.open("rb", buffering=0))
        self.advance, self.count = advance, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with the next bytes."""
        count = self.file.readinto(buffer) or 0
        self.count += count
        self.advance(count)
        return count

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        super().close()


@contextmanager
def opened(path: File, advance: Callable[[int], None]) -> Iterator[BinaryIO]:
    """A file's bytes, decompressed when its name ends with ``.gz``, ``.bz2``, ``.xz`` or ``.zst``.

    Args:
        path: The file.
        advance: Told how many bytes of the file on disk were read.

    Raises:
        DataError: The file is empty, cannot be read, grows too much, or is not packed as its name says.
    """
    with locating(path):
        if path.stat().st_size == 0:
            raise DataError("the file is empty", where=str(path), next_step="check what wrote it")
        packed = Counted(path, advance)
        with io.BufferedReader(packed, BUFFER) as plain:
            if path.suffix.lower() in STREAMS:
                with io.BufferedReader(Unpacked(packed, cast(BinaryIO, plain), path), BUFFER) as unpacked:
                    yield cast(BinaryIO, unpacked)
            else:
                yield cast(BinaryIO, plain)


@contextmanager
def opened_text(
    path: File, encoding: str, advance: Callable[[int], None], errors: Literal["strict", "surrogateescape"] = "strict"
) -> Iterator[io.TextIOWrapper]:
    """A file's text, line ends as they are; a byte order mark is not part of it.

    Args:
        path: The file.
        encoding: Its encoding.
        advance: Told how many bytes of the file on disk were read.
        errors: ``surrogateescape``: bytes that are not valid stand in the text as such, and :func:`bad_bytes` finds
            them line by line.

    Raises:
        DataError: The encoding does not exist, or bytes are not valid in it (the byte and its line are said).
    """
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    try:
        with opened(path, advance) as file, io.TextIOWrapper(file, name, errors, newline="") as text:
            yield text
    except LookupError:
        raise DataError(f"there is no encoding {encoding!r}", where=str(path), alternatives=GUESSES) from None
    except UnicodeError as error:
        raise undecodable(path, encoding, error) from None


def undecodable(path: File, encoding: str, error: UnicodeError) -> DataError:
    """The error for bytes that an encoding cannot read: where they are and which encodings can."""
    number, column, line = bad_line(path, encoding)
    if not line:
        return not_encoded(path, encoding, number, str(error), b"", 0)
    return not_encoded(path, encoding, number, said_of(line[column], column, number), line, column)


def said_of(byte: int, column: int, number: int) -> str:
    """A byte and its place."""
    return f"byte 0x{byte:02x} at byte {column + 1} of line {number}"


def bad_bytes(text: str, path: File, encoding: str, number: int) -> DataError | None:
    """The error for a line in which :func:`opened_text` let bytes pass that are not valid; None for a good one."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as found:
        line = text.encode(encoding, "surrogateescape")
        column = len(text[: found.start].encode(encoding, "surrogateescape"))
        return not_encoded(path, encoding, number, said_of(line[column], column, number), line, column)
    return None


def not_encoded(path: File, encoding: str, line_number: int, shown: str, line: bytes, column: int) -> DataError:
    """The error for a line, its bytes shown as other encodings read them."""
    able = ["utf-16"] if starts_as_utf16(path) else [name for name in GUESSES if decodes(line, name)]
    near = line[max(0, column - 8) : column + 8]  # Its ends may cut a character in two.
    readings = ", ".join(f"{name} reads {near.decode(name, 'replace')!r}" for name in able[:2])
    return DataError(
        f"the file is not {encoding}: {shown}" + (f" ({readings})" if line and readings else ""),
        where=f"{path}:{line_number}",
        expected=f"text encoded as {encoding}",
        alternatives=able,
        next_step=f"set the source's encoding, for example encoding: {able[0] if able else 'cp1252'}",
    )


def bad_line(path: File, encoding: str) -> tuple[int, int, bytes]:
    """The first line that does not decode: its number, the bad byte's place in it, its bytes (none: line 1)."""
    with opened(path, lambda _: None) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return number, error.start, line
            except UnicodeError:
                break
    return 1, 0, b""


def starts_as_utf16(path: File) -> bool:
    """Whether the file begins with a byte order mark of UTF-16."""
    with opened(path, lambda _: None) as file:
        return file.read(2) in (b"\xff\xfe", b"\xfe\xff")


def decodes(line: bytes, encoding: str) -> bool:
    """Whether the encoding can read these bytes."""
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
