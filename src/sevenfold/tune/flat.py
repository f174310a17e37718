"""Flat files of numbers and texts: written as a stream, read as memory maps, so that rows cost no memory."""

from __future__ import annotations

import contextlib
import json
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sevenfold.record import writing

BUFFER = 1 << 16
"""Numbers that are gathered before they are written."""


def opened(files: contextlib.ExitStack, path: Path) -> BinaryIO:
    """A new file that takes its name when ``files`` closes well."""
    return files.enter_context(files.enter_context(writing(path)).open("wb"))


class Numbers:
    """A file of numbers that grows.

    Args:
        files: Closes the file.
        path: The file.
        kind: The numbers' type, a code of :mod:`array`.
    """

    def __init__(self, files: contextlib.ExitStack, path: Path, kind: str) -> None:
        self.file = opened(files, path)
        self.waiting: array[Any] = array(kind)
        self.count = 0
        files.callback(self.flush)

    def extend(self, values: Sequence[float]) -> None:
        """Append numbers."""
        self.waiting.extend(values)
        self.count += len(values)
        if len(self.waiting) >= BUFFER:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        self.waiting.tofile(self.file)
        del self.waiting[:]


def read_numbers(path: Path, kind: str) -> np.ndarray:
    """A file of numbers as a memory-mapped array; an empty file is an empty array."""
    dtype = np.dtype(kind)
    return np.memmap(path, dtype=dtype, mode="r") if path.stat().st_size else np.empty(0, dtype)


class TextWriter:
    """A file of texts that grows, with another one for where each ends.

    Args:
        files: Closes both.
        path: The file of the texts; the other has the ending ``.ends`` behind it.
    """

    def __init__(self, files: contextlib.ExitStack, path: Path) -> None:
        self.file = opened(files, path)
        self.ends = Numbers(files, ends_of(path), "q")
        self.size = 0

    def append(self, text: str) -> None:
        """Add a text."""
        self.size += self.file.write(text.encode("utf-8", "surrogatepass"))
        self.ends.extend([self.size])


class Texts:
    """Texts on disk by number.

    Args:
        path: What :class:`TextWriter` wrote.
    """

    def __init__(self, path: Path) -> None:
        self.bytes, self.ends = read_numbers(path, "B"), read_numbers(ends_of(path), "q")

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: int) -> str:
        start = int(self.ends[index - 1]) if index else 0
        return self.bytes[start : int(self.ends[index])].tobytes().decode("utf-8", "surrogatepass")


def ends_of(path: Path) -> Path:
    """The file that says where texts end."""
    return path.with_name(f"{path.name}.ends")


class Listing:
    """A JSON array that is written one item after the other.

    Args:
        files: Closes the file.
        path: The file.
    """

    def __init__(self, files: contextlib.ExitStack, path: Path) -> None:
        self.file = opened(files, path)
        self.count = 0
        files.callback(self.close)

    def append(self, item: object) -> None:
        """Add an item."""
        self.write(",\n" if self.count else "[\n", json.dumps(item, ensure_ascii=False))
        self.count += 1

    def close(self) -> None:
        """Write the end."""
        self.write("\n]\n" if self.count else "[]\n")

    def write(self, *texts: str) -> None:
        """Write some text."""
        self.file.write("".join(texts).encode("utf-8", "surrogatepass"))
