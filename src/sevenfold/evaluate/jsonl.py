"""Results line by line, so that a killed process loses the batch at hand and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sevenfold.console import Task
from sevenfold.disk import machine_error
from sevenfold.record import writing

T = TypeVar("T")

TOGETHER = 16
"""Batches that a model is handed at once: an engine that fills the places of finished answers needs others in wait, and
texts that begin alike are read faster together. A killed process loses them."""


def write_lines(path: Path, objects: Iterator[dict[str, Any]]) -> None:
    """Write one JSON object a line, atomically."""
    with writing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in objects)


class Kept:
    """Results by key in an append-only file; opening it again finds what was finished before.

    Args:
        path: The file. A last line that a kill cut off is removed: its work is done again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, dict[str, Any]] = {}
        if path.exists():
            whole = path.read_bytes()
            end = whole.rfind(b"\n") + 1
            if end < len(whole):
                os.truncate(path, end)
            self.values = {item.pop("key"): item for item in map(json.loads, whole[:end].splitlines())}

    def add(self, items: Mapping[str, dict[str, Any]]) -> None:
        """Append some results and hand them to the disk.

        Raises:
            MachineError: The disk is full or the folder cannot be written.
        """
        lines = "".join(json.dumps({"key": key, **value}, ensure_ascii=False) + "\n" for key, value in items.items())
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise machine_error(error, self.path) from error
        self.values.update(items)

    def complete(
        self,
        items: Mapping[str, T],
        size: int,
        length: Callable[[T], int],
        work: Callable[[Sequence[T]], Sequence[dict[str, Any]]],
        task: Task,
    ) -> list[dict[str, Any]]:
        """The result of every item, in the items' order; what is missing is worked out in batches.

        Args:
            items: Key to item.
            size: Items of a batch.
            length: An item's length. Batches hold items of like length, the longest first, so that too little memory
                shows at once and not after an hour.
            work: Results of a batch in its order.
            task: The progress to advance.
        """
        missing = sorted((key for key in items if key not in self.values), key=lambda key: -length(items[key]))
        task.advance(len(items) - len(missing))
        for start in range(0, len(missing), size):
            keys = missing[start : start + size]
            self.add(dict(zip(keys, work([items[key] for key in keys]), strict=True)))
            task.advance(len(keys))
        return [self.values[key] for key in items]
