"""Sevenfold's DPO on the shared pairs: dpo_ours.py MODEL PAIRS [fp32]."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from common import ALPHA, BATCH, MAX_LENGTH, RANK, RATE, Clock, read_pairs, same_start

from sevenfold import cores

cores.share()

import torch  # noqa: E402 (the thread policy above is read when torch is imported)

from sevenfold.chat.conversation import Conversation  # noqa: E402
from sevenfold.load.section import LoadSection  # noqa: E402
from sevenfold.load.stage import load  # noqa: E402
from sevenfold.prepare.dataset import Row  # noqa: E402
from sevenfold.record import Entry  # noqa: E402
from sevenfold.setup.section import SetupSection  # noqa: E402
from sevenfold.setup.stage import setup  # noqa: E402
from sevenfold.tune import accumulate, references  # noqa: E402
from sevenfold.tune.encoded import Encoded, encode  # noqa: E402
from sevenfold.tune.engine.passes import passes  # noqa: E402
from sevenfold.tune.section import TuneSection  # noqa: E402
from sevenfold.tune.stage import build  # noqa: E402


def main(model: str, pairs: str, precision: str) -> None:
    folder = Path(tempfile.mkdtemp())
    loaded = load(LoadSection(model=model), Entry(folder))
    environment = setup(SetupSection(**({"precision": "float32"} if precision == "fp32" else {})), Entry(folder))
    environment.start()
    section = TuneSection.model_validate(
        {
            "objective": {"dpo": {"beta": 0.1}},
            "method": {"lora": {"rank": RANK, "alpha": ALPHA}},
            "batch": BATCH,
            "max_length": MAX_LENGTH,
        }
    )
    rows = [
        Row(Conversation.of(pair.messages), f"pair:{number}", {"rejected": pair.rejected})
        for number, pair in enumerate(read_pairs(pairs))
    ]
    encode(rows, section, loaded.encoder(), folder, "train")
    encoded = Encoded(folder, "train")
    forward = build(section, loaded, environment)
    same_start(forward.network)
    weights = section.method.trainable(forward.network)
    optimizer = torch.optim.AdamW(weights.values(), lr=RATE, weight_decay=0.0, fused=True)
    started = time.perf_counter()
    said = references.logprobs(forward, section, encoded, list(range(len(rows))), lambda done: None)
    prepared = time.perf_counter() - started
    encoded.columns[references.NAME] = said
    clock = Clock("sevenfold" if precision == "bf16" else f"sevenfold, {precision}")
    for start in range(0, len(rows), BATCH):
        clock.start()
        batch = passes(encoded.sequences(range(start, start + BATCH)), section.tokens_per_pass)
        loss = accumulate.gradients(forward, section.objective, batch)
        torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.stop(sum(part.tokens for part in batch), loss)
    clock.report_pairs(prepared)


main(sys.argv[1], sys.argv[2], (sys.argv[3:] or ["bf16"])[0])
