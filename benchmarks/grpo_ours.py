"""Sevenfold's GRPO on the shared prompts: grpo_ours.py MODEL ROWS STEPS [fp32]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import ALPHA, ANSWERS, BATCH, NEW_TOKENS, RANK, RATE, Clock, read_rows, same_start

from sevenfold import cores

cores.share()

from sevenfold.chat.conversation import Conversation  # noqa: E402 (the thread policy is read when torch is imported)
from sevenfold.load.section import LoadSection  # noqa: E402
from sevenfold.load.stage import load  # noqa: E402
from sevenfold.prepare.dataset import Row  # noqa: E402
from sevenfold.record import Entry  # noqa: E402
from sevenfold.setup.section import SetupSection  # noqa: E402
from sevenfold.setup.stage import setup  # noqa: E402
from sevenfold.tune.encoded import Encoded, encode  # noqa: E402
from sevenfold.tune.section import TuneSection  # noqa: E402
from sevenfold.tune.stage import build  # noqa: E402
from sevenfold.tune.trainer import Trainer  # noqa: E402


def main(model: str, rows: str, steps: int, precision: str) -> None:
    folder = Path(tempfile.mkdtemp())
    loaded = load(LoadSection(model=model), Entry(folder))
    environment = setup(SetupSection(**({"precision": "float32"} if precision == "fp32" else {})), Entry(folder))
    environment.start()
    section = TuneSection.model_validate(
        {
            "objective": {"grpo": {"rewards": ["overlap"], "answers_each": ANSWERS, "max_new_tokens": NEW_TOKENS}},
            "method": {"lora": {"rank": RANK, "alpha": ALPHA}},
            "schedule": "constant",
            "learning_rate": RATE,
            "batch": BATCH,
            "steps": steps,
            "tokens_per_pass": 2048,
        }
    )
    found = [Row(Conversation.of(messages), f"row:{number}") for number, messages in enumerate(read_rows(rows, steps))]
    for split, some in (("train", found), ("validation", [])):
        encode(some, section, loaded.encoder(), folder, split)
    forward = build(section, loaded, environment)
    same_start(forward.network)
    trainer = Trainer(forward, section, Encoded(folder, "train"), Encoded(folder, "validation"), 17, Entry(folder))
    clock = Clock("sevenfold" if precision == "bf16" else f"sevenfold, {precision}")
    rewards, written = [], []
    for number in range(steps):
        clock.start()
        step = trainer.step(trainer.batches.at(number))
        written.append(step.figures["answer tokens"])
        clock.stop(round(BATCH * ANSWERS * written[-1]), step.loss)
        rewards.append(round(step.figures["reward"], 4))
    clock.report_answers(BATCH * ANSWERS, rewards)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), (sys.argv[4:] or ["bf16"])[0])
