"""Rows to Arrow's columns and back, a batch at a time: many times faster than one dictionary a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.dataset import Row, arrow_schema

if TYPE_CHECKING:
    import pyarrow

NO_FIELDS = "{}"
ROW = ("origin", "fields", "made_by", "parents")


def packed(rows: Sequence[Row]) -> pyarrow.RecordBatch:
    """The rows as one batch; equals ``RecordBatch.from_pylist([stored(row) for row in rows])``."""
    import pyarrow as pa

    schema = arrow_schema()
    said = [message for row in rows for message in row.conversation.messages]
    message = schema.field("messages").type.value_type
    columns = [
        pa.array([one.role for one in said], pa.string()),
        pa.array([one.content for one in said], pa.string()),
        pa.array([one.weight for one in said], pa.float32()),
    ]
    messages = pa.StructArray.from_arrays(columns, fields=list(message))
    parents = pa.array([parent for row in rows for parent in row.parents], pa.string())
    arrays = [
        pa.ListArray.from_arrays(starts(len(row.conversation.messages) for row in rows), messages),
        pa.array([row.origin for row in rows], pa.string()),
        pa.array([written(row.fields) for row in rows], pa.string()),
        pa.array([row.made_by for row in rows], pa.string()),
        pa.ListArray.from_arrays(starts(len(row.parents) for row in rows), parents),
    ]
    return pa.RecordBatch.from_arrays(
        [array.cast(field.type) for array, field in zip(arrays, schema, strict=True)], schema=schema
    )


def starts(sizes: object) -> pyarrow.Array:
    """Where each list begins, and where the last ends."""
    import pyarrow as pa

    return pa.array(list(accumulate(sizes, initial=0)), pa.int32())  # type: ignore[call-overload]


def written(fields: dict[str, str]) -> str:
    """A row's columns as they are stored."""
    return json.dumps(fields, ensure_ascii=False) if fields else NO_FIELDS


def unpacked(batch: pyarrow.RecordBatch) -> list[Row]:
    """The rows of a batch; equals ``map(row_of, batch.to_pylist())``."""
    names = batch.schema.names
    messages = batch.column("messages")
    flat = messages.flatten()
    roles, contents, weights = (flat.field(name).to_pylist() for name in ("role", "content", "weight"))
    said = [Message(*one) for one in zip(roles, contents, weights, strict=True)]
    ends = list(accumulate(messages.value_lengths().to_pylist(), initial=0))
    fields = [{} if text == NO_FIELDS else json.loads(text) for text in batch.column("fields").to_pylist()]
    # Datasets of earlier versions have no column that says what made a row.
    empty: list[None] = [None] * batch.num_rows
    made_by, parents = (batch.column(name).to_pylist() if name in names else empty for name in ("made_by", "parents"))
    return [
        Row(Conversation(tuple(said[start:end])), origin, found, made or "", tuple(of or ()))
        for start, end, origin, found, made, of in zip(
            ends, ends[1:], batch.column("origin").to_pylist(), fields, made_by, parents, strict=False
        )
    ]


class Drawer:
    """The rows of a batch one at a time; a slice of the batch for each would take several times as long.

    Args:
        batch: The rows; memory-mapped, so that nothing of them is held here.
    """

    def __init__(self, batch: pyarrow.RecordBatch) -> None:
        self.batch = batch

    @cached_property
    def columns(self) -> tuple[Any, ...]:
        """Messages, where each row's begin, their three columns; the rows' columns."""
        messages = self.batch.column("messages")
        said = [messages.values.field(name) for name in ("role", "content", "weight")]
        # Datasets of earlier versions have no column that says what made a row.
        found = [self.batch.column(name) if name in self.batch.schema.names else None for name in ROW]
        return messages.offsets, said, found

    def row(self, number: int) -> Row:
        """The row with a number; equals that of :func:`unpacked`."""
        offsets, (roles, contents, weights), (origins, fields, made, parents) = self.columns
        said = tuple(
            Message(roles[one].as_py(), contents[one].as_py(), weights[one].as_py())
            for one in range(offsets[number].as_py(), offsets[number + 1].as_py())
        )
        text = fields[number].as_py()
        return Row(
            Conversation(said),
            origins[number].as_py(),
            {} if text == NO_FIELDS else json.loads(text),
            (made[number].as_py() if made is not None else None) or "",
            tuple((parents[number].as_py() if parents is not None else None) or ()),
        )

    def origin(self, number: int) -> str:
        """Where a row came from."""
        return str(self.batch.column("origin")[number].as_py())

    def said(self, number: int) -> tuple[list[str], str]:
        """What the messages of a row say, and its fields as they are stored: what is needed of very many rows."""
        offsets, (_, contents, _), (_, fields, _, _) = self.columns
        start, end = offsets[number].as_py(), offsets[number + 1].as_py()
        return [contents[one].as_py() for one in range(start, end)], fields[number].as_py()
