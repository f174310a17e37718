"""What changes of the training rows and audits are given to work with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from sevenfold.chat.conversation import Conversation
from sevenfold.console import Console
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.keys import hashed


@dataclass
class Work:
    """The stage, as a change or an audit sees it.

    Args:
        name: Which change or audit this is: ``augment``, the second of that name ``augment-2``.
        seed: The split's seed.
        folder: The stage's folder, for files that a person should find beside ``report.json``.
        console: Progress goes to its tasks.
        note: A sentence for the record.
        warn: A sentence that asks for attention.
        write_dropped: Keeps a dropped row, with the reason, in ``dropped.jsonl``.
        dropped: Reason to rows, as told to :meth:`drop`.
        made: Rows from :meth:`make`.
    """

    name: str
    seed: int
    folder: Path
    console: Console
    note: Callable[[str], None]
    warn: Callable[[str], None]
    write_dropped: Callable[[Row, str], None]
    dropped: Counter[str] = field(default_factory=Counter)
    made: int = 0

    def drop(self, row: Row, reason: str) -> None:
        """Tell that a row goes.

        Args:
            row: A row that was there before; one that was made here and is refused is not a row yet.
            reason: One word of the report, ``mislabelled`` for example.
        """
        self.dropped[reason] += 1
        self.write_dropped(row, reason)

    def make(self, conversation: Conversation, parents: Sequence[Row], fields: dict[str, str]) -> Row:
        """A new row, which the change gives on.

        Args:
            conversation: What it says.
            parents: The rows it was made of; of a made row its own parents count, so that all are rows of sources.
            fields: Its columns.
        """
        self.made += 1
        sources = (origin for parent in parents for origin in (parent.parents or (parent.origin,)))
        return Row(conversation, f"{self.name}:{self.made}", fields, self.name, tuple(dict.fromkeys(sources)))

    def random(self, *parts: str) -> Random:
        """A generator of its own for a part of the work, the same for the same seed, name and parts."""
        return Random(hashed((str(self.seed), self.name, *parts)))
