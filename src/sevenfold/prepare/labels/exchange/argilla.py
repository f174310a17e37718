"""Argilla: the records of ``dataset.records.from_json`` and ``to_json``.

A record has ``id``, ``fields``, ``metadata``, ``suggestions`` by question and ``responses`` by question, each response
with ``value`` and ``user_id``: https://docs.argilla.io/latest/reference/argilla/records/records. The dataset needs a
text field ``text``, a question ``label`` (LabelQuestion, or MultiLabelQuestion where several may fit) and, if notes are
wanted, a text question ``note``. The whole file is held in memory, as a JSON list is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from sevenfold.prepare.labels.exchange import Exchange, Returned, columns_of, mapping, mappings, origin_of, texts
from sevenfold.prepare.labels.exchange.label_studio import read_list
from sevenfold.prepare.labels.review import Item, Queue
from sevenfold.record import write_json


class Argilla(Exchange):
    """Records with ``fields``, ``suggestions`` and ``responses``."""

    suffix: ClassVar[str] = ".json"

    def write(self, review: Queue, path: Path) -> list[Path]:
        """The records."""
        write_json(path, [record(item, review.multi) for item in review.items])
        return [path]

    def read(self, path: Path) -> Iterator[Returned]:
        """Every response to every record."""
        for row in read_list(path):
            origin = origin_of(mapping(row.get("metadata")).get("origin"), row.get("id"))
            given = by_person(row, "label")
            notes = by_person(row, "note")
            if not given:
                yield Returned(origin, None)
            for person, value in given.items():
                yield Returned(origin, texts(value), person, note=" ".join(texts(notes.get(person))))

    def recognises(self, path: Path, first: dict[str, Any]) -> bool:
        """A record."""
        return path.suffix == ".json" and "fields" in first and "responses" in first


def record(item: Item, multi: bool) -> dict[str, Any]:
    """A row as a record."""
    suggestions: dict[str, Any] = {}
    if item.suggested:
        scores = [item.scores.get(label) for label in item.suggested]
        value = item.suggested if multi else item.suggested[0]
        score = None if None in scores else scores if multi else scores[0]
        suggestions["label"] = {"value": value, "score": score, "agent": "sevenfold"}
    metadata = {"origin": item.origin, "why": item.why}
    return {
        "id": item.origin,
        "fields": {"text": item.text},
        "metadata": {**columns_of(item.context, metadata), **metadata},
        "suggestions": suggestions,
        "responses": {},
        "vectors": {},
    }


def by_person(row: dict[str, Any], question: str) -> dict[str, Any]:
    """What each person answered to a question; drafts and discarded responses have no value."""
    found = mappings(mapping(row.get("responses")).get(question))
    return {str(one.get("user_id") or ""): one["value"] for one in found if one.get("value") is not None}
