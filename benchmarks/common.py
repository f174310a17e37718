"""What every contestant shares: the model, the rows, the batch order, and how time and memory are taken."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

BATCH, MAX_LENGTH, RANK, ALPHA, RATE = 8, 512, 16, 32, 2e-4


def read_rows(path: str, steps: int) -> list[list[dict[str, str]]]:
    """The first conversations of a file, as many as ``steps`` batches need; one JSON list of messages a line."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[: BATCH * steps]]


class Clock:
    """Seconds, real tokens and loss of each step; the first step is warm-up and counts for nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds: list[float] = []
        self.tokens: list[int] = []
        self.losses: list[float] = []

    def start(self) -> None:
        self.started = time.perf_counter()

    def stop(self, tokens: int, loss: float) -> None:
        self.seconds.append(time.perf_counter() - self.started)
        self.tokens.append(tokens)
        self.losses.append(round(loss, 4))

    def report(self) -> None:
        """One JSON line: tokens per second behind the warm-up, peak bytes of the process, losses."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        speed = sum(self.tokens[1:]) / sum(self.seconds[1:])
        found = {"name": self.name, "tokens_per_second": speed, "peak_bytes": peak, "losses": self.losses}
        sys.stdout.write(json.dumps(found) + "\n")
