"""States of documents in one flat file, found by what the documents say."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sevenfold.record import write_json

RECORD = np.dtype([("key", "<u8", 2), ("offset", "<i8"), ("tokens", "<i8"), ("sum", "<u8")])
"""A line of the index: a document's key, where its states begin (bytes), its tokens, and their checksum."""

Key = tuple[int, int]


class States:
    """One tensor ``L x D`` for each document, kept bit for bit.

    States are written first and the index behind them, so a process killed at any moment leaves whole documents only;
    what an earlier process wrote is checked against its checksum when it is first read.

    Args:
        folder: Holds ``states``, ``index`` and ``owner.json``.
        width: D.
        dtype: Type of the states.
        size: Bytes that may be written; the disk keeps them free for this file.
        owner: Tells whose states these are, as JSON; those of another owner are removed.

    Raises:
        OSError: The disk has no room for ``size`` bytes.
    """

    def __init__(self, folder: Path, width: int, dtype: torch.dtype, size: int, owner: dict[str, Any]) -> None:
        self.width, self.dtype, self.size = width, dtype, size
        if not belongs(folder, owner):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_json(folder / "owner.json", owner)
        self.data = open_file(folder / "states")
        self.log = open_file(folder / "index")
        if hasattr(os, "posix_fallocate") and size:
            os.posix_fallocate(self.data.fileno(), 0, size)
        self.places: dict[Key, tuple[int, int, int]] = {}
        self.unchecked: set[Key] = set()
        self.end = 0
        self.read_index()

    @property
    def row(self) -> int:
        """Bytes of one token's states."""
        return self.width * self.dtype.itemsize

    def read_index(self) -> None:
        """Take what an earlier process wrote; half a line at the end is cut off."""
        whole = os.fstat(self.log.fileno()).st_size // RECORD.itemsize * RECORD.itemsize
        self.log.truncate(whole)
        for line in np.frombuffer(self.log.read(), RECORD):
            key = (int(line["key"][0]), int(line["key"][1]))
            self.places[key] = int(line["offset"]), int(line["tokens"]), int(line["sum"])
            self.end = max(self.end, int(line["offset"] + line["tokens"] * self.row))
        self.unchecked = set(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, key: Key) -> bool:
        """Whether a document's states are there and whole."""
        if key in self.unchecked:
            self.unchecked.remove(key)
            _, tokens, checksum = self.places[key]
            found = torch.empty(tokens, self.width, dtype=self.dtype)
            self.read(key, found)
            if zlib.crc32(octets(found)) != checksum:
                del self.places[key]
        return key in self.places

    def read(self, key: Key, into_LD: Tensor) -> None:
        """Copy a document's states into a contiguous tensor of the main memory."""
        self.data.seek(self.places[key][0])
        self.data.readinto(octets(into_LD))

    def write(self, key: Key, states_LD: Tensor) -> bool:
        """Keep a document's states; False where they would not fit into the room that was reserved."""
        values = octets(states_LD.detach().cpu().contiguous())
        if self.end + len(values) > self.size:
            return False
        line = np.array((key, self.end, len(states_LD), zlib.crc32(values)), RECORD)
        self.data.seek(self.end)
        self.data.write(values)
        self.data.flush()
        self.log.write(line.tobytes())
        self.log.flush()
        self.places[key] = self.end, len(states_LD), int(line["sum"])
        self.end += len(values)
        return True

    def close(self) -> None:
        """Close the files; they stay."""
        self.data.close()
        self.log.close()


def belongs(folder: Path, owner: dict[str, Any]) -> bool:
    """Whether a folder holds states of this owner."""
    try:
        return bool(json.loads((folder / "owner.json").read_text(encoding="utf-8")) == owner)
    except (FileNotFoundError, ValueError):
        return False


def open_file(path: Path) -> Any:
    """A file to read and write, made where it is not there."""
    path.touch()
    return path.open("r+b")


def octets(tensor: Tensor) -> memoryview:
    """The memory of a contiguous tensor as bytes."""
    values: Any = tensor.detach().view(torch.uint8).numpy()
    return memoryview(values).cast("B")
