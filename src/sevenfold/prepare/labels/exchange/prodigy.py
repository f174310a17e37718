"""Prodigy: JSON Lines for the interface ``choice``, and what ``prodigy db-out`` gives back.

Tasks: https://prodi.gy/docs/api-interfaces#choice. ``accept`` of a task that goes in ticks the suggested options.
``answer`` is accept, reject or ignore; a rejected or ignored row is passed over. Of binary text classification
(``label`` in place of ``options``) an accepted row has its label; a rejected one has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sevenfold.prepare.labels.exchange import Exchange, Returned, mapping, origin_of, read_lines, texts, write_lines
from sevenfold.prepare.labels.review import Item, Queue


class Prodigy(Exchange):
    """Tasks with ``options``, ``accept`` and ``answer``."""

    def write(self, review: Queue, path: Path) -> list[Path]:
        """The tasks; ``choice_style`` says whether several may be ticked."""
        write_lines(path, (task(item, review) for item in review.items))
        return [path]

    def read(self, path: Path) -> Iterator[Returned]:
        """Every answer of a dataset."""
        for row in read_lines(path):
            answer = row.get("answer")
            binary = "options" not in row and "accept" not in row
            labels = texts(row.get("label") if binary else row.get("accept"))
            origin, note = (
                origin_of(row.get("origin"), mapping(row.get("meta")).get("origin")),
                str(row.get("note") or ""),
            )
            given = labels if answer in ("accept", "reject", "ignore") else None
            who = str(row.get("_annotator_id") or row.get("_session_id") or "")
            yield Returned(origin, given, who, 0.0, when(row.get("_timestamp")), note, answer in ("reject", "ignore"))

    def recognises(self, path: Path, first: dict[str, Any]) -> bool:
        """A task that was answered."""
        return path.suffix != ".json" and "answer" in first and ("text" in first or "options" in first)


def task(item: Item, review: Queue) -> dict[str, Any]:
    """A row as a task; what ``meta`` holds stands in the corner of the card."""
    meta = {**item.context, **({"why": item.why} if item.why else {}), "origin": item.origin}
    return {
        "text": item.text,
        "options": [{"id": label, "text": label} for label in review.labels],
        "accept": item.suggested,
        "config": {"choice_style": "multiple" if review.multi else "single"},
        "meta": meta,
        "origin": item.origin,
    }


def when(timestamp: object) -> str:
    """Seconds since 1970 in ISO 8601; empty where there are none."""
    if not isinstance(timestamp, int | float):
        return ""
    try:
        return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return ""
