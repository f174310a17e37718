"""Traffic from a file, one request and its answer as a JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from sevenfold.errors import DataError

if TYPE_CHECKING:
    from sevenfold.deploy.serve.exchange import Exchange


def exchanges(path: Path) -> Iterator[Exchange]:
    """The requests of a file, read line by line.

    Args:
        path: A file with one request as JSON a line.

    Raises:
        DataError: A line is not what it should be; the message says which one and why.
    """
    from sevenfold.deploy.serve.exchange import Exchange

    adapter = TypeAdapter(Exchange)
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield adapter.validate_json(line)
                except ValidationError as error:
                    raise broken(error, f"{path}:{number}") from None


def broken(error: ValidationError, where: str) -> DataError:
    """What is wrong with a line."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    wrong = f"{key}: {first['msg']}" if key else first["msg"]
    return DataError(
        f"this line of the traffic cannot be read: {wrong}",
        where=where,
        expected="one request and its answer as a JSON object",
        next_step="mend or delete the line; nothing of the file was imported",
    )
