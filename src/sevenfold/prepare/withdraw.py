"""Rows that are withdrawn: by their origin, or by the origin of what they were made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.sources import RawRow, Reading
from sevenfold.record import Entry

WITHDRAWN = "withdrawn"
"""The reason under which such rows are counted."""
MADE_BY, PARENTS = "made_by", "parents"
"""Columns of rows that an earlier run made: by what, and of which rows."""
BORDERS = (":", "!", "/", "#", " ")
"""What stands in an origin behind the name of a file, a sheet, a folder, a page, a database."""
BEHIND = "[:!/# ]*"


def fits(pattern: str, origin: str) -> bool:
    """Whether an origin is meant: itself, something in it (a file's row, a folder's file), or a glob's match."""
    if origin == pattern or fnmatchcase(origin, pattern) or fnmatchcase(origin, pattern + BEHIND):
        return True
    return origin.startswith(pattern) and (pattern.endswith(BORDERS) or origin[len(pattern)].startswith(BORDERS))


def made_of(values: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """What made a row, and the origins of its parents; None for a row without both columns.

    Parents are a list, a text that is a JSON list, or the one origin as a text.
    """
    if not values.get(MADE_BY) or not values.get(PARENTS):
        return None
    parents = values[PARENTS]
    if isinstance(parents, str):
        parents = listed(parents)
    return str(values[MADE_BY]), tuple(map(str, parents)) if isinstance(parents, Iterable) else (str(parents),)


def listed(text: str) -> list[Any]:
    """A JSON list; any other text is one origin."""
    try:
        found = json.loads(text)
    except ValueError:
        return [text]
    return found if isinstance(found, list) else [text]


class Withdrawal:
    """The patterns of a recipe, and how many rows each has taken.

    Args:
        patterns: Origins, beginnings of origins up to a border, or globs.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.taken: Counter[str] = Counter(dict.fromkeys(patterns, 0))

    def of(self, raw: RawRow) -> tuple[RawRow, Dropped] | None:
        """The row without its content, and that it is withdrawn; None for one that stays."""
        if not self.taken:
            return None
        made = made_of(raw.values)
        origins = (raw.origin, *(made[1] if made else ()))
        found = [pattern for pattern in self.taken if any(fits(pattern, origin) for origin in origins)]
        self.taken.update(found)
        return (RawRow({}, raw.origin), Dropped(WITHDRAWN)) if found else None

    def finish(self, reading: Reading) -> None:
        """Say what each pattern took, and warn of those that took nothing."""
        for pattern, rows in self.taken.items():
            if rows:
                reading.note(f"withdrawn: {rows:,} rows of {pattern}")
            else:
                reading.warn(f"prepare.withdraw: {pattern!r} matches no row: sevenfold trace shows origins")


def warn_of_earlier(entry: Entry) -> None:
    """Name the datasets of the run's history, which were prepared before rows were withdrawn."""
    earlier = sorted((entry.folder.parent / "history").glob(f"{entry.folder.name}-*"))
    if earlier:
        entry.warn(
            f"{len(earlier)} earlier datasets of this run may still have withdrawn rows, and version.json examples of "
            f"them: delete what must not be kept, {', '.join(map(str, earlier[:3]))}"
        )
