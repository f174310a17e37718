"""The command ``trace``: a row of a prepared dataset, what it was made of, and what was made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.console import Console
from sevenfold.errors import RecipeError
from sevenfold.pipeline import stage_named
from sevenfold.prepare.dataset import SPLITS, Dataset, Row, message_dict, row_of
from sevenfold.prepare.report import DROPPED_FILE
from sevenfold.prepare.shelf import batches
from sevenfold.record import RESULT_FILE

if TYPE_CHECKING:
    import pyarrow

STAGE = stage_named("prepare")
SHOWN = 300
"""Characters of a row that a person is shown; ``--json`` has all."""
SUGGESTED = 10


@dataclass(frozen=True)
class Placed:
    """A row and its split."""

    row: Row
    split: str

    def as_json(self) -> dict[str, Any]:
        """The row's part of the object of ``--json``."""
        return {
            "origin": self.row.origin,
            "split": self.split,
            "made_by": self.row.made_by,
            "parents": list(self.row.parents),
            "fields": self.row.fields,
            "messages": [message_dict(message) for message in self.row.conversation.messages],
        }

    def line(self, how: str) -> tuple[str, str, str, str]:
        """The row in a table."""
        text = " / ".join(message.content for message in self.row.conversation.messages)
        return how, self.row.origin, self.split, text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


@dataclass
class Trace:
    """What is known of an origin.

    Args:
        origin: As it was asked for.
        rows: The rows that stand there.
        parents: The rows that these were made of, as far as they are in the dataset.
        made: The rows that were made of them.
        dropped: Lines of ``dropped.jsonl`` about the origin or its parents.
    """

    origin: str
    rows: list[Placed] = field(default_factory=list)
    parents: list[Placed] = field(default_factory=list)
    made: list[Placed] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The object of ``--json``."""
        lists = {name: [one.as_json() for one in getattr(self, name)] for name in ("rows", "parents", "made")}
        return {"origin": self.origin, **lists, "dropped": self.dropped}


def trace(folder: Path, origin: str) -> Trace:
    """Where a row went, what it was made of, and what was made of it.

    Args:
        folder: The run.
        origin: The row's origin, as the data, the report and the errors say it.

    Raises:
        RecipeError: The run has no dataset, or no row of it has this origin.
    """
    place = STAGE.folder(folder)
    if not (place / RESULT_FILE).is_file():
        raise RecipeError(
            "the run has no prepared dataset", where=str(place), next_step=f"sevenfold prepare {folder / 'recipe.yaml'}"
        )
    dataset = Dataset.open(place)
    found = Trace(origin)
    for placed in picked(dataset, {origin}):
        (found.rows if placed.row.origin == origin else found.made).append(placed)
    wanted = {parent for placed in found.rows for parent in placed.row.parents}
    if wanted:
        found.parents = list(picked(dataset, wanted, made=False))
    found.dropped = list(dropped_lines(place / DROPPED_FILE, {origin, *wanted}))
    if not (found.rows or found.made or found.dropped):
        raise unknown(dataset, origin)
    return found


def picked(dataset: Dataset, origins: set[str], made: bool = True) -> Iterator[Placed]:
    """The rows that stand at some origins, and those made of them, read without the others."""
    for split in SPLITS:
        if dataset.counts.get(split):
            for batch in batches(dataset.path(split)):
                for kept in batch.take(numbers(batch, origins, made)).to_pylist():
                    yield Placed(row_of(kept), split)


def numbers(batch: pyarrow.RecordBatch, origins: set[str], made: bool) -> pyarrow.Array:
    """Which rows of a batch stand at some origins, or have one of them as a parent."""
    import pyarrow
    from pyarrow import compute

    wanted = pyarrow.array(sorted(origins), pyarrow.string())
    found = set(compute.indices_nonzero(compute.is_in(batch.column("origin"), wanted)).to_pylist())
    if made and "parents" in batch.schema.names:
        parents = batch.column("parents")
        owners = compute.list_parent_indices(parents)
        found.update(owners.filter(compute.is_in(compute.list_flatten(parents), wanted)).to_pylist())
    return pyarrow.array(sorted(found), pyarrow.int64())


def dropped_lines(path: Path, origins: set[str]) -> Iterator[dict[str, Any]]:
    """What was dropped from some origins."""
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            for line in file:
                found = json.loads(line)
                if found["origin"] in origins:
                    yield found


def unknown(dataset: Dataset, origin: str) -> RecipeError:
    """The error for an origin that no row has."""
    near = [row.origin for split in SPLITS for row in dataset.head(split, SUGGESTED)]
    return RecipeError(
        f"no row of the dataset stands at {origin!r}, and none was made of it or dropped there",
        where=str(dataset.folder),
        value=origin,
        alternatives=near[:SUGGESTED],
        next_step="an origin is written as in dropped.jsonl: FILE:LINE",
    )


def show(found: Trace, console: Console) -> None:
    """The row, its parents and what was made of it, as a table."""
    lines = [placed.line("the row") for placed in found.rows]
    lines += [placed.line("made of") for placed in found.parents]
    lines += [placed.line("made from it") for placed in found.made]
    lines += [("dropped", line["origin"], line["reason"], told(line)) for line in found.dropped]
    console.table(found.origin, ("", "origin", "split", "text"), lines)
    missing = [parent for placed in found.rows for parent in placed.row.parents]
    there = {placed.row.origin for placed in found.parents}
    for parent in dict.fromkeys(parent for parent in missing if parent not in there):
        console.say(f"  made of {parent}, which is not in the dataset")


def told(line: dict[str, Any]) -> str:
    """A dropped row in a line of a table."""
    content = line.get("problem") or line.get("messages") or line.get("values") or ""
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return text[:SHOWN]
