"""Label Studio: a JSON list of tasks with predictions, and the labelling interface as XML.

Tasks, predictions and annotations: https://labelstud.io/guide/task_format and https://labelstud.io/guide/predictions.
Its exports ``JSON`` and ``JSON-MIN`` are both read. The whole file is held in memory, as a JSON list is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sevenfold.errors import DataError, first_line
from sevenfold.prepare.labels.exchange import (
    Exchange,
    Returned,
    beside,
    columns_of,
    mapping,
    mappings,
    number_of,
    origin_of,
    texts,
)
from sevenfold.prepare.labels.review import Item, Queue
from sevenfold.record import write_json, write_text


class LabelStudio(Exchange):
    """Tasks with ``data``, ``predictions`` and ``annotations``."""

    suffix: ClassVar[str] = ".json"

    def write(self, review: Queue, path: Path) -> list[Path]:
        """The tasks, and the interface to paste into the project's settings."""
        write_json(path, [task(item) for item in review.items])
        config = beside(path, "-config.xml")
        write_text(config, interface(review))
        return [path, config]

    def read(self, path: Path) -> Iterator[Returned]:
        """Every annotation of every task."""
        for row in read_list(path):
            if "data" in row:
                yield from of_task(row)
            else:
                yield of_min(row)

    def recognises(self, path: Path, first: dict[str, Any]) -> bool:
        """A task, or one of the small form."""
        return path.suffix == ".json" and ("annotations" in first or "annotation_id" in first)


def task(item: Item) -> dict[str, Any]:
    """A row as a task."""
    data = {"text": item.text, "origin": item.origin, "why": item.why}
    made: dict[str, Any] = {"data": {**columns_of(item.context, data), **data}}
    if item.suggested:
        result = {"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": item.suggested}}
        known = [item.scores[label] for label in item.suggested if label in item.scores]
        made["predictions"] = [
            {"model_version": "sevenfold", "result": [result]} | ({"score": min(known)} if known else {})
        ]
    return made


def interface(review: Queue) -> str:
    """The labelling interface."""
    view = Element("View")
    SubElement(view, "Header", value=review.question)
    SubElement(view, "Text", name="text", value="$text")
    kind = "multiple" if review.multi else "single"
    choices = SubElement(view, "Choices", name="label", toName="text", choice=kind, showInline="true")
    for label in review.labels:
        SubElement(choices, "Choice", value=label)
    SubElement(view, "TextArea", name="note", toName="text", placeholder="Note", maxSubmissions="1")
    indent(view)
    return tostring(view, encoding="unicode") + "\n"


def of_task(row: dict[str, Any]) -> Iterator[Returned]:
    """The annotations of one task of the full form."""
    origin = origin_of(mapping(row["data"]).get("origin"))
    annotations = mappings(row.get("annotations"))
    if not annotations:
        yield Returned(origin, None)
    for one in annotations:
        values = [(part.get("from_name"), mapping(part.get("value"))) for part in mappings(one.get("result"))]
        labels = [label for _, value in values for label in texts(value.get("choices"))]
        note = " ".join(text for name, value in values if name == "note" for text in texts(value.get("text")))
        at = str(one.get("updated_at") or one.get("created_at") or "")
        passed = bool(one.get("was_cancelled"))
        yield Returned(
            origin, labels, name_of(one.get("completed_by")), number_of(one.get("lead_time")), at, note, passed
        )


def of_min(row: dict[str, Any]) -> Returned:
    """One row of the small form, in which a single choice is a text and several are a mapping."""
    given = row.get("label")
    labels = texts(given.get("choices") if isinstance(given, dict) else given)
    at = str(row.get("updated_at") or row.get("created_at") or "")
    note = " ".join(texts(row.get("note")))
    name, seconds = name_of(row.get("annotator")), number_of(row.get("lead_time"))
    return Returned(origin_of(row.get("origin")), labels if given is not None else None, name, seconds, at, note)


def name_of(who: object) -> str:
    """An annotator by number, or by what Label Studio tells of one."""
    if isinstance(who, dict):
        who = who.get("email") or who.get("username") or who.get("id")
    return "" if who is None else str(who)


def read_list(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON list.

    Raises:
        DataError: The file holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"the file is no JSON: {first_line(error)}", where=str(path)) from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise DataError("the file is no list of JSON objects", where=str(path), expected="[{...}, {...}]")
    return found
