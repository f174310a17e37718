"""Files with random damage, the same on every run: what a reader must answer with rows or a located error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from sevenfold.errors import DataError
from sevenfold.prepare.sources import Source
from tests.prepare.conftest import read_all


def spoilt(content: bytes, count: int, seed: int = 17) -> Iterator[bytes]:
    """The content with bits turned, bytes cut out, doubled, or lost at the end."""
    dice = Random(seed)
    for _ in range(count):
        data = bytearray(content)
        for _ in range(dice.randint(1, 3)):
            start = dice.randrange(len(data)) if data else 0
            end = min(len(data), start + dice.randint(1, 40))
            harm = dice.choices(("turn", "cut", "double", "noise", "end"), (8, 4, 4, 4, 1))[0]
            if harm == "turn" and data:
                data[start] ^= 1 << dice.randrange(8)
            elif harm == "cut":
                del data[start:end]
            elif harm == "double":
                data[start:start] = data[start:end]
            elif harm == "noise":
                data[start:end] = dice.randbytes(end - start)
            else:
                del data[len(data) - dice.randint(0, len(data) // 4) :]
        yield bytes(data)


def outcomes(path: str, source: Callable[[], Source], count: int, seed: int = 17) -> Counter[str]:
    """How a source answers to spoilt copies of a file: rows, findings (warnings that name the file), or errors.

    Anything else that it raises goes through and fails the test.
    """
    content, found = Path(path).read_bytes(), Counter[str]()
    for data in spoilt(content, count, seed):
        Path(path).write_bytes(data)
        notes: list[str] = []
        refusal = None
        try:
            read_all(source(), notes)
        except DataError as error:
            refusal = error
        if refusal:
            assert path in str(refusal.where), refusal.describe()
            assert refusal.problem
        found["refused" if refusal else "warned" if any(path in note for note in notes) else "read"] += 1
    Path(path).write_bytes(content)
    return found
