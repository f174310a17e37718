"""Which dataset this is, and what became of the one before: rows that came, went, changed, or changed sides.

``version.json`` in the stage's folder has these keys:

- ``content``: the dataset's identity, 64 hexadecimal digits: the same rows on the same sides have the same, whatever
  the order of rows, the files they stand in, the recipe or the code (a sum of hashes: Clarke et al. 2003,
  "Incremental multiset hash functions").
- ``parent``: the ``content`` of the dataset that this one superseded in its run, or none; ``folder`` is where it lies.
- ``rows``: ``{before, after, kept, added, removed, changed, moved}``. ``before`` = ``kept`` + ``removed`` + ``changed``
  and ``after`` = ``kept`` + ``added`` + ``changed``; a row is changed when the one at its place in the source says
  something else now; ``moved`` rows are kept on another side of the split.
- ``examples``: of each the first, as ``{origin, side, text}``, with ``before`` where there was something.
- ``settings``: key of the section to ``[before, after]``, where they differ.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.prepare.clean.duplicates import judged_key
from sevenfold.prepare.dataset import SPLITS, Dataset, Row
from sevenfold.prepare.keys import hashed
from sevenfold.prepare.shelf import Shelf
from sevenfold.record import RESULT_FILE, Entry, history, write_json

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

VERSION_FILE = "version.json"
STAGE_FILE = "stage.json"
EXAMPLES = 20
TEXT = 300
"""Characters of a row in an example."""


@dataclass
class Content:
    """A dataset's identity, made row by row; it does not depend on their order."""

    total: int = 0

    def add(self, side: str, row: Row) -> None:
        """Count a row in."""
        self.total = (self.total + hashed((side, *said(row)), size=32)) % (1 << 256)

    def merge(self, other: Content) -> None:
        """Count the rows of another in."""
        self.total = (self.total + other.total) % (1 << 256)

    def __str__(self) -> str:
        return f"{self.total:064x}"


def said(row: Row) -> list[str]:
    """What a row says: its conversation and its fields, not its place."""
    return [str(judged_key(row)), *(f"{name}:{text}" for name, text in sorted(row.fields.items()))]


def content_of(dataset: Dataset) -> str:
    """The identity of a dataset on disk."""
    content = Content()
    for side in SPLITS:
        for row in dataset.rows(side):
            content.add(side, row)
    return str(content)


def write_version(entry: Entry, dataset: Dataset, content: str) -> None:
    """Write ``version.json``: which dataset this is, and what changed since the one before; say it in a sentence.

    Args:
        entry: The stage's folder; its record says which result this one supersedes.
        dataset: What was prepared, saved already.
        content: Its identity.
    """
    version: dict[str, Any] = {"content": content, "parent": None}
    before = parent(entry)
    if before is not None:
        found = compare(before, dataset)
        version |= {
            "parent": known(before) or content_of(before),
            "folder": f"{before.folder.parent.name}/{before.folder.name}",
            **found,
            "settings": other_settings(before.folder, entry.record.section),
        }
        rows = found["rows"]
        entry.note(
            f"since the dataset before: {rows['added']:,} rows added, {rows['removed']:,} removed, "
            f"{rows['changed']:,} changed, {rows['moved']:,} on another side"
        )
    entry.metric("content", content)
    write_json(entry.folder / VERSION_FILE, version)


def parent(entry: Entry) -> Dataset | None:
    """The whole dataset that this one supersedes, if it is still there."""
    if not entry.record.before:
        return None
    folder = history(entry.folder, entry.record.before)
    return Dataset.open(folder) if (folder / RESULT_FILE).is_file() else None


def known(dataset: Dataset) -> str | None:
    """The identity that a dataset's folder says, if it says one."""
    path = dataset.folder / VERSION_FILE
    return json.loads(path.read_text(encoding="utf-8"))["content"] if path.is_file() else None


def other_settings(folder: Path, section: dict[str, Any]) -> dict[str, list[Any]]:
    """Keys of the section whose values differ from those of the dataset before."""
    path = folder / STAGE_FILE
    before = json.loads(path.read_text(encoding="utf-8"))["section"] if path.is_file() else {}
    return {
        key: [before.get(key), section.get(key)]
        for key in sorted({*before, *section})
        if before.get(key) != section.get(key)
    }


@dataclass
class Side:
    """A dataset as it is compared: 17 bytes a row.

    Args:
        dataset: The rows on disk.
        keys: What each row says; rows that say the same are numbered, so that each key is there once.
        origins: Where each row stands in its source.
        splits: The number of each row's split.
    """

    dataset: Dataset
    keys: NDArray[numpy.uint64]
    origins: NDArray[numpy.uint64]
    splits: NDArray[numpy.uint8]
    shelves: dict[int, Shelf] = field(default_factory=dict)

    def example(self, place: int) -> dict[str, str]:
        """One row, for a person."""
        split = int(self.splits[place])
        if split not in self.shelves:
            self.shelves[split] = Shelf(self.dataset.path(SPLITS[split]))
        row = self.shelves[split].row(place - int((self.splits < split).sum()))
        text = "\n".join(message.content for message in row.conversation.messages)
        return {"origin": row.origin, "side": SPLITS[split], "text": text[:TEXT]}


def side_of(dataset: Dataset) -> Side:
    """Read a dataset to be compared."""
    import numpy

    rows = sum(dataset.counts.values())
    keys, origins = numpy.zeros(rows, dtype=numpy.uint64), numpy.zeros(rows, dtype=numpy.uint64)
    splits, place = numpy.zeros(rows, dtype=numpy.uint8), 0
    for number, split in enumerate(SPLITS):
        for row in dataset.rows(split):
            keys[place], origins[place], splits[place] = hashed(said(row)), hashed((row.origin,)), number
            place += 1
    return Side(dataset, numbered(keys), origins, splits)


def numbered(keys: NDArray[numpy.uint64]) -> NDArray[numpy.uint64]:
    """The keys, the second of equal ones another key, the third a third."""
    import numpy

    order = numpy.argsort(keys, kind="stable")
    ordered = keys[order]
    first = numpy.searchsorted(ordered, ordered)
    times = (numpy.arange(len(keys)) - first).astype(numpy.uint64)
    found = numpy.empty_like(keys)
    found[order] = ordered + times * numpy.uint64(0x9E3779B97F4A7C15)
    return found


def compare(before: Dataset, after: Dataset) -> dict[str, Any]:
    """The rows that came, went, changed and changed sides, counted, with examples."""
    import numpy

    old, new = side_of(before), side_of(after)
    _, old_kept, new_kept = numpy.intersect1d(old.keys, new.keys, assume_unique=True, return_indices=True)
    moved = new_kept[old.splits[old_kept] != new.splits[new_kept]]
    gone, come = without(len(old.keys), old_kept), without(len(new.keys), new_kept)
    _, old_same, new_same = numpy.intersect1d(old.origins[gone], new.origins[come], return_indices=True)
    changed = sorted(zip(come[new_same].tolist(), gone[old_same].tolist(), strict=True))
    removed, added = numpy.delete(gone, old_same), numpy.delete(come, new_same)
    return {
        "rows": {
            "before": len(old.keys),
            "after": len(new.keys),
            "kept": len(new_kept),
            "added": len(added),
            "removed": len(removed),
            "changed": len(changed),
            "moved": len(moved),
        },
        "examples": {
            "added": [new.example(place) for place in added[:EXAMPLES].tolist()],
            "removed": [old.example(place) for place in removed[:EXAMPLES].tolist()],
            "changed": [
                {**new.example(new_place), "before": old.example(old_place)["text"]}
                for new_place, old_place in changed[:EXAMPLES]
            ],
            "moved": [new.example(place) for place in numpy.sort(moved)[:EXAMPLES].tolist()],
        },
    }


def without(size: int, places: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
    """The places up to ``size`` that are not among some."""
    import numpy

    free = numpy.ones(size, dtype=bool)
    free[places] = False
    return numpy.flatnonzero(free)
