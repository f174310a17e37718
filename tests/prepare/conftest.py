"""What the tests of ``prepare`` share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sevenfold.prepare.dataset import Dataset
from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.sources import Found, RawRow, Reading, Source, Unreadable
from sevenfold.prepare.stage import prepare
from sevenfold.record import Entry
from sevenfold.schema import explain


class Prepared:
    """What one run of the stage left behind."""

    def __init__(self, dataset: Dataset, entry: Entry) -> None:
        self.dataset, self.entry = dataset, entry

    @property
    def report(self) -> dict[str, Any]:
        return self.dataset.report()

    @property
    def dropped(self) -> list[dict[str, Any]]:
        lines = (self.entry.folder / "dropped.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def rows(self, *splits: str) -> list:
        return [row for split in splits or ("train", "validation", "test") for row in self.dataset.rows(split)]


def section_of(**values: Any) -> PrepareSection:
    """The section as a recipe would make it, with the user's error."""
    try:
        return PrepareSection(**values)
    except ValidationError as error:
        raise explain(error, PrepareSection, prefix=("prepare",)) from None


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Prepared]:
    """Run the stage: ``run(source=..., split=...)``; nothing is held out unless asked."""

    def go(folder: str = "1-prepare", **values: Any) -> Prepared:
        values.setdefault("split", {"validation": 0, "test": 0})
        entry = Entry(tmp_path / folder)
        return Prepared(prepare(section_of(**values), entry), entry)

    return go


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], str]:
    """Write a file and give its path."""

    def put(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return str(path)

    return put


@pytest.fixture
def write_rows(write: Callable[[str, str], str]) -> Callable[..., str]:
    """Write rows as JSON Lines and give the path."""

    def put(rows: list[dict[str, Any]], name: str = "rows.jsonl") -> str:
        return write(name, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    return put


def read_all(source: Source, notes: list[str] | None = None, read: list[int] | None = None) -> list[RawRow]:
    """All rows of a source; what it says and how many bytes it read go to the lists. What it cannot read is raised."""
    found = give_all(source, notes, read)
    for bad in found:
        if isinstance(bad, Unreadable) and bad.reason == "unreadable":
            raise bad.error
    return [row for row in found if isinstance(row, RawRow)]


def give_all(source: Source, notes: list[str] | None = None, read: list[int] | None = None) -> list[Found]:
    """All that a source gives: its rows, and what it cannot read."""
    said = notes if notes is not None else []
    counted = read if read is not None else []
    return list(source.rows(Reading(counted.append, said.append, said.append)))
