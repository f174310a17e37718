"""Exchange formats: a review taken to another labelling tool, and its answers taken back. One file each."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sevenfold.prepare.labels.review import Queue, json_line
from sevenfold.record import write_text
from sevenfold.registry import Registry


@dataclass(frozen=True, slots=True)
class Returned:
    """What another tool says about one row, before it is compared with the review.

    Args:
        origin: The row's name; None: the tool lost it.
        labels: The labels given; None: the row was not answered.
        annotator: Who answered, as the tool says it.
        seconds: How long it took; 0: not known.
        at: When, as the tool says it.
        note: A remark.
        passed: Whether the row was passed over on purpose.
    """

    origin: str | None
    labels: list[str] | None
    annotator: str = ""
    seconds: float = 0.0
    at: str = ""
    note: str = ""
    passed: bool = False


class Exchange(ABC):
    """A labelling tool's own format."""

    suffix: ClassVar[str] = ".jsonl"

    @abstractmethod
    def write(self, review: Queue, path: Path) -> list[Path]:
        """Write the review as the tool reads it; gives the files, the rows first."""

    @abstractmethod
    def read(self, path: Path) -> Iterator[Returned]:
        """What the tool's own export says, one for each answer and for each row without one.

        Raises:
            DataError: The file cannot be read.
        """

    @abstractmethod
    def recognises(self, path: Path, first: dict[str, Any]) -> bool:
        """Whether a file is the tool's export.

        Args:
            path: The file.
            first: Its first object; empty where it has none.
        """


EXCHANGES = Registry(__name__, Exchange)


def beside(path: Path, ending: str) -> Path:
    """A second file of an export: ``tasks.json`` gives ``tasks-config.xml``."""
    return path.with_name(f"{path.stem}{ending}")


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write JSON Lines atomically."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON Lines.

    Raises:
        DataError: A line is none.
    """
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield json_line(line, f"{path}:{number}")


def texts(value: object) -> list[str]:
    """A label or a list of labels, as a list; what is no text is shown as JSON, so that it is counted as unknown."""
    found = value if isinstance(value, list) else [] if value is None or value == "" else [value]
    return [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in found]


def mapping(value: object) -> dict[str, Any]:
    """A value that is a JSON object; an empty one in the place of anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """The JSON objects of a list; none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def origin_of(*places: object) -> str | None:
    """The first of some values that is a row's name."""
    return next((place for place in places if isinstance(place, str) and place), None)


def number_of(value: object) -> float:
    """A number of seconds; 0 where there is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def columns_of(context: dict[str, str], taken: Iterable[str]) -> dict[str, str]:
    """Context columns beside a tool's own keys; one of the same name is written behind ``context_``."""
    names = set(taken)
    return {f"context_{name}" if name in names else name: text for name, text in context.items()}
