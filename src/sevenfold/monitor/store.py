"""Every request and answer of the service, in one SQLite file, ``runs/NAME/traffic.sqlite``.

It lies in the run's own folder and not in that of a stage: a stage's folder moves into the history when its recipe or
its inputs change, and the traffic must outlive that. The file is in WAL mode: many processes and threads may write
and read at the same time, and a process that is killed loses nothing that it had appended. (A power cut may lose the
last moments, never more: WAL with ``synchronous=NORMAL``.)
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sevenfold.errors import MachineError
from sevenfold.monitor.database import explained, turn

if TYPE_CHECKING:
    from sevenfold.deploy.serve.exchange import Exchange

TRAFFIC_STORE = "traffic.sqlite"
COLUMNS = (
    "id",
    "time",
    "model",
    "messages",
    "answer",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "seconds",
    "first_token_seconds",
    "status",
    "error",
    "user",
    "project",
)
MIGRATIONS = (
    """
    CREATE TABLE exchanges (
        id TEXT PRIMARY KEY, time REAL NOT NULL, model TEXT NOT NULL, messages TEXT NOT NULL, answer TEXT NOT NULL,
        finish_reason TEXT, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, seconds REAL NOT NULL,
        first_token_seconds REAL, status INTEGER NOT NULL, error TEXT, user TEXT, project TEXT
    );
    CREATE INDEX exchanges_by_time ON exchanges (time, id);
    CREATE TABLE told (
        rule TEXT NOT NULL, channel TEXT NOT NULL, since REAL NOT NULL, PRIMARY KEY (rule, channel)
    );
    """,
)
"""Statements that lead from each version of the schema to the next; the first makes version 1 of an empty file."""
VERSION = len(MIGRATIONS)
WAIT_SECONDS = 30.0
"""How long a writer waits for its turn."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What retention deleted.

    Args:
        by_age: Requests older than the days that are kept.
        by_count: Oldest requests above the number that is kept.
    """

    by_age: int
    by_count: int


class TrafficStore:
    """The traffic of one run.

    One object may be used by every thread of a process; a forked process opens its own.

    Args:
        path: The file; it and its folder are made when they are not there.

    Raises:
        MachineError: The file cannot be written, is no store, or comes from a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.writer = self.connect()
            try:
                self.prepare()
            except BaseException:
                self.writer.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was appended is there."""
        with self.lock:
            self.writer.close()

    def connect(self) -> sqlite3.Connection:
        """A connection of its own."""
        connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    def prepare(self) -> None:
        """Bring the file to this version of the schema."""
        # SQLite does not wait when two processes switch a new file to WAL at once, so they take turns at the folder.
        with turn(self.path.parent):
            version = self.writer.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise MachineError(
                    f"the traffic store has version {version}; this Sevenfold reads up to {VERSION}",
                    where=str(self.path),
                    next_step="upgrade Sevenfold: pip install --upgrade sevenfold",
                )
            self.writer.execute("PRAGMA journal_mode = WAL")
            # Deleted prompts are overwritten, not only forgotten.
            self.writer.executescript("PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;")
            for number in range(version, VERSION):
                self.writer.executescript(
                    f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
                )

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or none."""
        with self.lock, explained(self.path):
            self.writer.execute("BEGIN IMMEDIATE")
            try:
                yield self.writer
                self.writer.execute("COMMIT")
            except BaseException:
                # On a full disk SQLite has rolled back by itself.
                if self.writer.in_transaction:
                    self.writer.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading, so that a long read holds no writer up."""
        with explained(self.path), contextlib.closing(self.connect()) as connection:
            yield connection

    def append(self, exchange: Exchange) -> bool:
        """Keep one request and its answer.

        Args:
            exchange: The request.

        Returns:
            Whether it is new; a request id that is there already changes nothing.
        """
        return self.extend([exchange]) == 1

    def extend(self, exchanges: Iterable[Exchange]) -> int:
        """Keep many in one transaction: when one cannot be read, none is kept.

        Args:
            exchanges: The requests, read as they are needed.

        Returns:
            How many are new.
        """
        holders = ", ".join("?" * len(COLUMNS))
        insert = f"INSERT OR IGNORE INTO exchanges ({', '.join(COLUMNS)}) VALUES ({holders})"
        with self.writing() as connection:
            return connection.executemany(insert, (row_of(exchange) for exchange in exchanges)).rowcount

    def newest(self, count: int) -> Iterator[Exchange]:
        """The newest requests, oldest first, read as they are asked for."""
        columns = ", ".join(COLUMNS)
        query = f"SELECT * FROM (SELECT {columns} FROM exchanges ORDER BY time DESC, id DESC LIMIT ?) ORDER BY time, id"
        with self.reading() as connection:
            for row in connection.execute(query, (count,)):
                yield exchange_of(row)

    def count(self) -> int:
        """All requests."""
        with self.reading() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM exchanges").fetchone()[0])

    def totals(self) -> list[dict[str, Any]]:
        """Sums for each model and status: ``requests``, ``prompt_tokens``, ``completion_tokens``, ``seconds``."""
        query = (
            "SELECT model, status, COUNT(*) AS requests, SUM(prompt_tokens) AS prompt_tokens,"
            " SUM(completion_tokens) AS completion_tokens, SUM(seconds) AS seconds"
            " FROM exchanges GROUP BY model, status ORDER BY model, status"
        )
        with self.reading() as connection:
            return [dict(row) for row in connection.execute(query)]

    def prune(self, days: float | None, rows: int | None, now: float | None = None) -> Pruned:
        """Delete what is not to be kept; the place in the file is used again, and the text is overwritten.

        Args:
            days: Delete requests older than this, days; None keeps all.
            rows: Keep so many newest requests; None keeps all.
            now: The present, seconds since 1970; None: the clock.
        """
        now = time.time() if now is None else now
        with self.writing() as connection:
            by_age = by_count = 0
            if days is not None:
                old = now - days * 86400
                by_age = connection.execute("DELETE FROM exchanges WHERE time < ?", (old,)).rowcount
            if rows is not None:
                beyond = "SELECT id FROM exchanges ORDER BY time DESC, id DESC LIMIT -1 OFFSET ?"
                by_count = connection.execute(f"DELETE FROM exchanges WHERE id IN ({beyond})", (rows,)).rowcount
        if by_age or by_count:
            with self.lock, explained(self.path):
                # The deleted text also stands in the log of changes until that is cut.
                self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Pruned(by_age, by_count)

    def told(self, rule: str, channel: str) -> float | None:
        """Since when a channel knows that a rule holds, seconds since 1970; None: it knows of nothing."""
        query = "SELECT since FROM told WHERE rule = ? AND channel = ?"
        with self.reading() as connection:
            found = connection.execute(query, (rule, channel)).fetchone()
        return float(found[0]) if found else None

    def tell(self, rule: str, channel: str, since: float | None) -> None:
        """Remember what a channel was told: that a rule holds since a moment, or (None) no longer."""
        with self.writing() as connection:
            connection.execute("DELETE FROM told WHERE rule = ? AND channel = ?", (rule, channel))
            if since is not None:
                connection.execute("INSERT INTO told VALUES (?, ?, ?)", (rule, channel, since))


def row_of(exchange: Exchange) -> tuple[Any, ...]:
    """A request as a row of the table."""
    messages = json.dumps(exchange.messages, ensure_ascii=False)
    return tuple(messages if name == "messages" else getattr(exchange, name) for name in COLUMNS)


def exchange_of(row: sqlite3.Row) -> Exchange:
    """A request from a row of the table."""
    from sevenfold.deploy.serve.exchange import Exchange

    return Exchange(**{**dict(row), "messages": json.loads(row["messages"])})
