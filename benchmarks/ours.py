"""Sevenfold's own loop on the shared rows: ours.py MODEL ROWS STEPS."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import ALPHA, BATCH, MAX_LENGTH, RANK, RATE, Clock, read_rows

from sevenfold import cores
from sevenfold.chat.conversation import Conversation

cores.share()

import torch  # noqa: E402 (the thread policy above is read when torch is imported)

from sevenfold.load.section import LoadSection  # noqa: E402
from sevenfold.load.stage import load  # noqa: E402
from sevenfold.record import Entry  # noqa: E402
from sevenfold.setup.section import SetupSection  # noqa: E402
from sevenfold.setup.stage import setup  # noqa: E402
from sevenfold.tune import accumulate  # noqa: E402
from sevenfold.tune.engine.passes import passes  # noqa: E402
from sevenfold.tune.section import TuneSection  # noqa: E402
from sevenfold.tune.stage import build  # noqa: E402


def main(model: str, rows: str, steps: int) -> None:
    folder = Path(tempfile.mkdtemp())
    loaded = load(LoadSection(model=model), Entry(folder))
    environment = setup(SetupSection(), Entry(folder))
    environment.start()
    section = TuneSection.model_validate({"method": {"lora": {"rank": RANK, "alpha": ALPHA}}})
    forward = build(section, loaded, environment)
    weights = section.method.trainable(forward.network)
    optimizer = torch.optim.AdamW(weights.values(), lr=RATE, fused=True)
    encoder = loaded.encoder()
    conversations = [Conversation.of(messages) for messages in read_rows(rows, steps)]
    sequences = [encoder.sequences(conversation)[0] for conversation in conversations]
    for sequence in sequences:
        del sequence.ids[MAX_LENGTH:], sequence.weights[MAX_LENGTH:]
    clock = Clock("sevenfold")
    for step in range(steps):
        clock.start()
        batch = passes(sequences[step * BATCH : (step + 1) * BATCH], section.tokens_per_pass)
        loss = accumulate.gradients(forward, section.objective, batch)
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.stop(sum(part.tokens for part in batch), loss)
    clock.report()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
