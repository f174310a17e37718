"""What every contestant shares: the model, the rows, the batch order, and how time and memory are taken."""

from __future__ import annotations

import json
import resource
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.nn import Module

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.load.model import Model

BATCH, MAX_LENGTH, RANK, ALPHA, RATE = 8, 512, 16, 32, 2e-4
ANSWERS, NEW_TOKENS = 8, 32
"""Answers that are drawn to each prompt, and their tokens at most."""


def read_rows(path: str, steps: int) -> list[list[dict[str, str]]]:
    """The first conversations of a file, as many as ``steps`` batches need; one JSON list of messages a line."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[: BATCH * steps]]


@dataclass(frozen=True)
class Pair:
    """A preferred answer behind its prompt, another answer, and prompt and both answers as texts with their markers."""

    messages: list[dict[str, str]]
    rejected: str
    texts: list[str]


def read_pairs(path: str) -> list[Pair]:
    """The pairs of a file, one a line."""
    return [Pair(**json.loads(line)) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def sequences(model: Model, rows: str, steps: int) -> list[TokenSequence]:
    """The rows as our encoder reads them, cut where they are too long."""
    from sevenfold.chat.conversation import Conversation

    encoder = model.encoder()
    found = [encoder.sequences(Conversation.of(messages))[0] for messages in read_rows(rows, steps)]
    for sequence in found:
        del sequence.ids[MAX_LENGTH:], sequence.weights[MAX_LENGTH:]
    return found


def overlap(answer: str, reference: str) -> float:
    """Twice the longest common subsequence of characters, as a share of both texts; the reward of every contestant."""
    first, second = " ".join(answer.split()), " ".join(reference.split())
    lengths = [0] * (len(second) + 1)
    for one in first:
        diagonal = 0
        for place, other in enumerate(second, start=1):
            above = lengths[place]
            lengths[place] = diagonal + 1 if one == other else max(above, lengths[place - 1])
            diagonal = above
    return 2 * lengths[-1] / max(1, len(first) + len(second))


def same_start(network: Module) -> None:
    """Draw each adapter's A from a generator of its own, seeded by the layer's name; B is zero already.

    PEFT's names and ours differ in what stands around the layer's own name, which is left out.
    """
    import torch

    for name, weight in network.named_parameters():
        if ".lora_A." in name:
            layer = name.removeprefix("base_model.model.").partition(".lora_A.")[0]
            generator = torch.Generator().manual_seed(zlib.crc32(layer.encode()))
            bound = weight.shape[1] ** -0.5
            drawn = torch.empty(weight.shape).uniform_(-bound, bound, generator=generator)
            weight.data.copy_(drawn)


def differences(left: list[float], right: list[float]) -> tuple[float, float]:
    """The largest and the mean difference of two runs' losses, step by step."""
    found = [abs(one - other) for one, other in zip(left, right, strict=True)]
    return max(found), fmean(found)


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
        self.losses.append(round(loss, 6))

    def report(self, **others: object) -> None:
        """One JSON line: tokens per second behind the warm-up, peak bytes of the process, losses, and what is given."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        speed = sum(self.tokens[1:]) / sum(self.seconds[1:])
        found = {"name": self.name, "tokens_per_second": speed, "peak_bytes": peak, "losses": self.losses} | others
        sys.stdout.write(json.dumps(found) + "\n")

    def report_pairs(self, prepared: float) -> None:
        """The same for pairs; ``prepared`` are seconds before the first step that belong to the work."""
        rows = BATCH * len(self.seconds)
        per_row = sum(self.seconds[1:]) / (rows - BATCH) + prepared / rows
        self.report(rows_per_second=1 / per_row, prepared=prepared, tokens=sum(self.tokens))

    def report_answers(self, answers: int, rewards: list[float]) -> None:
        """The same for answers that are drawn, judged and learnt from, so many a step; with each step's mean reward."""
        speed = answers * len(self.seconds[1:]) / sum(self.seconds[1:])
        self.report(answers_per_second=speed, rewards=rewards, tokens=sum(self.tokens))
