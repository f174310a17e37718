"""Public safety sets, read from files as they are published; one file each. Nothing is fetched."""

from __future__ import annotations

import csv
import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sevenfold.errors import DataError
from sevenfold.evaluate.safety._items import Item, lines_of
from sevenfold.registry import Registry


class PublicSet:
    """A set that others publish.

    Attributes:
        dimension: The dimension whose items it brings, or the check ``jailbreaks``.
        files: The names that its file has where it is published; the first that is in the folder is read.
        home: Where to get it.
        paper: Who made it.
    """

    dimension: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    home: ClassVar[str]
    paper: ClassVar[str]

    @abstractmethod
    def items(self, rows: Sequence[dict[str, Any]]) -> Iterator[Item]:
        """Its rows as items."""

    def rows(self, path: Path) -> list[dict[str, Any]]:
        """The rows of its file, by the columns' names."""
        return table(path)

    def read(self, path: Path) -> list[Item]:
        """Its items.

        Raises:
            DataError: The file is not as it is published.
        """
        try:
            found = list(self.items(self.rows(path)))
        except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
            raise DataError(
                f"this is not {type(self).__name__} as it is published: {type(error).__name__}: {error}",
                where=str(path),
                expected=(type(self).__doc__ or "").split("\n")[0],
                next_step=f"get it from {self.home}",
            ) from error
        if not found:
            raise DataError("the set has no item that can be asked", where=str(path), next_step=f"see {self.home}")
        return found


SETS = Registry(__name__, PublicSet)


def table(path: Path) -> list[dict[str, Any]]:
    """Rows of JSON lines, a JSON array, CSV or TSV, by the file's ending.

    Raises:
        DataError: A line cannot be read.
    """
    lines = lines_of(path)
    try:
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in lines]
        if path.suffix == ".json":
            found = json.loads("\n".join(lines))
            return found if isinstance(found, list) else [found]
    except ValueError as error:
        raise DataError(f"this is no JSON: {error}", where=str(path)) from error
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


def files_in(folder: Path, wanted: tuple[str, ...], about: tuple[str, ...]) -> dict[str, Path]:
    """The file of each public set in a folder.

    Args:
        folder: Where they lie.
        wanted: The sets' names; empty: those that are there.
        about: The dimensions that are asked.

    Raises:
        DataError: A wanted set is missing, or there is none at all; the message says where to get it.
    """
    kinds = {name: SETS.find(name) for name in wanted or SETS.names()}
    kinds = {name: kind for name, kind in kinds.items() if kind.dimension in about}
    there = {
        name: next((folder / one for one in kind.files if (folder / one).is_file()), None)
        for name, kind in kinds.items()
    }
    found = {name: path for name, path in there.items() if path is not None}
    missing = sorted(set(there) - set(found))
    if (wanted and missing) or not found:
        raise DataError(
            f"there is no file of {', '.join(missing[:3]) or 'a public set'} in {str(folder)!r}",
            expected="; ".join(f"{name}: {' or '.join(kinds[name].files)}" for name in missing) or ", ".join(about),
            next_step="; ".join(f"get {name} from {kinds[name].home}" for name in missing[:3]) or "leave out sets",
        )
    return found
