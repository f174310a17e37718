"""A dataset: checked conversations in splits, on disk, read without loading them all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.record import Result

if TYPE_CHECKING:
    import pyarrow

SPLITS = ("train", "validation", "test")
REJECTED, DESIRABLE = "rejected", "desirable"
"""Fields of judged rows: another answer to the same prompt that was not preferred; whether a row's reply is good."""


@dataclass(frozen=True, slots=True)
class Row:
    """One example.

    Args:
        conversation: What was said.
        origin: Where it came from: ``file:line``, ``module.function``.
        fields: The other columns of the row that were kept (a label, a group), as text.
        made_by: What made the row here, ``augment`` for example; empty for a row of a source.
        parents: The origins of the rows that it was made of, so that it goes when one of them is withdrawn.
    """

    conversation: Conversation
    origin: str
    fields: dict[str, str] = field(default_factory=dict)
    made_by: str = ""
    parents: tuple[str, ...] = ()


class Dataset(Result):
    """Rows in Arrow files, one a split, in this result's folder; memory-mapped, so size costs no memory."""

    counts: dict[str, int]
    """Rows in each split."""

    def path(self, split: str) -> Path:
        """The Arrow file of a split."""
        return self.folder / f"{split}.arrow"

    def report(self) -> dict[str, Any]:
        """The data report; :mod:`sevenfold.prepare.report` documents its keys."""
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        return report

    def rows(self, split: str) -> Iterator[Row]:
        """The rows of a split in order."""
        if self.counts.get(split):
            import pyarrow

            from sevenfold.prepare.packing import unpacked

            with pyarrow.memory_map(str(self.path(split))) as file, pyarrow.ipc.open_file(file) as reader:
                for index in range(reader.num_record_batches):
                    yield from unpacked(reader.get_batch(index))

    def head(self, split: str, count: int) -> list[Row]:
        """The first ``count`` rows of a split."""
        return [row for _, row in zip(range(count), self.rows(split), strict=False)]


def row_of(kept: dict[str, Any]) -> Row:
    """A row from its stored form."""
    return Row(
        Conversation.of(kept["messages"]),
        kept["origin"],
        json.loads(kept["fields"]),
        kept.get("made_by") or "",
        tuple(kept.get("parents") or ()),
    )


def stored(row: Row) -> dict[str, Any]:
    """A row in its stored form."""
    return {
        "messages": [message_dict(message) for message in row.conversation.messages],
        "origin": row.origin,
        "fields": json.dumps(row.fields, ensure_ascii=False),
        "made_by": row.made_by,
        "parents": list(row.parents),
    }


def said(row: Row) -> dict[str, Any]:
    """What a row says, as ``dropped.jsonl`` keeps it: its messages, and its columns where it has some."""
    messages = [message_dict(message) for message in row.conversation.messages]
    return {"messages": messages, **({"fields": row.fields} if row.fields else {})}


def message_dict(message: Message) -> dict[str, Any]:
    """A message in its stored form."""
    return {"role": message.role, "content": message.content, "weight": message.weight}


def arrow_schema() -> pyarrow.Schema:
    """The columns of a split's file."""
    import pyarrow as pa

    message = pa.struct([("role", pa.string()), ("content", pa.string()), ("weight", pa.float32())])
    return pa.schema(
        [
            ("messages", pa.list_(message)),
            ("origin", pa.string()),
            ("fields", pa.string()),
            ("made_by", pa.string()),
            ("parents", pa.list_(pa.string())),
        ]
    )
