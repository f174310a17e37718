"""Sevenfold's own loop on the shared rows: ours.py MODEL ROWS STEPS [fp32]."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from common import ALPHA, BATCH, RANK, RATE, Clock, same_start, sequences

from sevenfold import cores

cores.share()

import torch  # noqa: E402 (the thread policy above is read when torch is imported)

from sevenfold.load.section import LoadSection  # noqa: E402
from sevenfold.load.stage import load  # noqa: E402
from sevenfold.record import Entry  # noqa: E402
from sevenfold.setup.plan import Shape, Work, flops  # noqa: E402
from sevenfold.setup.section import SetupSection  # noqa: E402
from sevenfold.setup.stage import setup  # noqa: E402
from sevenfold.tune import accumulate  # noqa: E402
from sevenfold.tune.engine.passes import passes  # noqa: E402
from sevenfold.tune.section import TuneSection  # noqa: E402
from sevenfold.tune.stage import build  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.tune.engine.forward import Forward


def main(model: str, rows: str, steps: int, precision: str) -> None:
    folder = Path(tempfile.mkdtemp())
    loaded = load(LoadSection(model=model), Entry(folder))
    environment = setup(SetupSection(**({"precision": "float32"} if precision == "fp32" else {})), Entry(folder))
    environment.start()
    section = TuneSection.model_validate({"method": {"lora": {"rank": RANK, "alpha": ALPHA}}})
    forward = build(section, loaded, environment)
    same_start(forward.network)
    weights = section.method.trainable(forward.network)
    optimizer = torch.optim.AdamW(weights.values(), lr=RATE, fused=True)
    encoded = sequences(loaded, rows, steps)
    shape = Shape.of(loaded.card)
    rates = [matrix_rate(shape, environment.dtype)]
    clock = Clock("sevenfold" if precision == "bf16" else f"sevenfold, {precision}")
    for step in range(steps):
        clock.start()
        batch = passes(encoded[step * BATCH : (step + 1) * BATCH], section.tokens_per_pass)
        loss = accumulate.gradients(forward, section.objective, batch)
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.stop(sum(part.tokens for part in batch), loss)
    rates.append(matrix_rate(shape, environment.dtype))
    reached = needed(work(forward, shape, encoded[BATCH:])) / sum(clock.seconds[1:])
    clock.report(flops_per_second=reached, matrix_rate=mean(rates))


def needed(done: Work) -> float:
    """FLOPs that the result needs: the head's logits, which the engine computes again to save memory, count once."""
    return flops(done) - done.total_supervised * 2 * done.shape.vocabulary * done.shape.hidden


def work(forward: Forward, shape: Shape, rows: Sequence[TokenSequence]) -> Work:
    """The work of some rows in numbers."""
    lengths = [len(row) for row in rows]
    moving = sum(weight.numel() for weight in forward.network.parameters() if weight.requires_grad)
    return Work(
        shape=shape,
        frozen_parameters=sum(weight.numel() for weight in forward.network.parameters()) - moving,
        trainable_parameters=moving,
        tokens_per_pass=max(lengths),
        supervised_per_pass=1,
        total_tokens=sum(lengths),
        total_supervised=sum(row.supervised for row in rows),
        mean_length=sum(length**2 for length in lengths) / sum(lengths),
    )


def matrix_rate(shape: Shape, dtype: torch.dtype, seconds: float = 1.0) -> float:
    """FLOP/s of products of 1,024 tokens with the feed-forward block's weight, the largest product that occurs."""
    tokens_TI = torch.randn(1024, shape.hidden).to(dtype)
    weights_OI = [torch.randn(shape.intermediate, shape.hidden).to(dtype) for _ in range(shape.layers)]
    products, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        for weight_OI in weights_OI:
            torch.nn.functional.linear(tokens_TI, weight_OI)
        products += len(weights_OI)
    spent = time.perf_counter() - started
    return 2 * 1024 * shape.hidden * shape.intermediate * products / spent


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), (sys.argv[4:] or ["bf16"])[0])
