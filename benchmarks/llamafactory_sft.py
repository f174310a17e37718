"""LLaMA-Factory's supervised tuning on the shared rows: llamafactory_sft.py MODEL ROWS STEPS [best|packed].

``best`` is what LLaMA-Factory offers on a CPU: bfloat16, batches grouped by length, nothing recomputed. ``packed`` adds
its packing without attention across documents: rows of 512 tokens, half as many a step, so that a step reads about as
many tokens. It refuses ``pure_bf16`` without a GPU.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from common import ALPHA, BATCH, MAX_LENGTH, RANK, RATE, Clock, read_rows
from transformers import TrainerCallback

# It imports torchaudio at its start and uses it for sound alone; no build of it fits the processor's torch.
sys.modules["torchaudio"] = ModuleType("torchaudio")
sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)

from llamafactory.data.collator import SFTDataCollatorWith4DAttentionMask  # noqa: E402
from llamafactory.train.tuner import run_exp  # noqa: E402

del sys.modules["torchaudio"]

BEST = {"bf16": True, "train_sampling_strategy": "group_by_length", "disable_gradient_checkpointing": True}
SETTINGS = {
    "defaults": {},
    "best": BEST,
    "packed": BEST | {"neat_packing": True, "per_device_train_batch_size": BATCH // 2},
}
NAMES = {"defaults": "its defaults", "best": "its best", "packed": "its best, packed"}
COUNTS: list[int] = []


class Timer(TrainerCallback):
    def __init__(self, clock: Clock) -> None:
        self.clock, self.step = clock, 0

    def on_step_begin(self, *_, **__) -> None:
        self.clock.start()

    def on_log(self, *_, logs=None, **__) -> None:
        if "loss" in logs:
            self.clock.stop(COUNTS[self.step], float(logs["loss"]))
            self.step += 1


def count_tokens() -> None:
    """Note the real tokens of every batch as it is laid out; batches are read in the order of their layout."""
    lay = SFTDataCollatorWith4DAttentionMask.__call__

    def counted(self, features):
        COUNTS.append(sum(sum(mark > 0 for mark in row["attention_mask"]) for row in features))
        return lay(self, features)

    SFTDataCollatorWith4DAttentionMask.__call__ = counted


def dataset(folder: Path, rows: str, steps: int) -> str:
    """The rows where LLaMA-Factory looks for them; gives their name."""
    lines = [json.dumps({"messages": row}) + "\n" for row in read_rows(rows, steps)]
    (folder / "rows.jsonl").write_text("".join(lines), encoding="utf-8")
    tags = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    told = {"file_name": "rows.jsonl", "formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": tags}
    (folder / "dataset_info.json").write_text(json.dumps({"rows": told}), encoding="utf-8")
    return "rows"


def main(model: str, rows: str, steps: int, choice: str) -> None:
    folder = Path(tempfile.mkdtemp())
    count_tokens()
    settings = {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": model,
        "finetuning_type": "lora",
        "lora_rank": RANK,
        "lora_alpha": ALPHA,
        "lora_target": "all",
        "dataset_dir": str(folder),
        "dataset": dataset(folder, rows, steps),
        "cutoff_len": MAX_LENGTH,
        "output_dir": str(folder / "out"),
        "per_device_train_batch_size": BATCH,
        "learning_rate": RATE,
        "max_steps": steps,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "seed": 17,
    }
    clock = Clock(f"LLaMA-Factory, {NAMES[choice]}")
    run_exp(settings | SETTINGS[choice], callbacks=[Timer(clock)])
    clock.report()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), (sys.argv[4:] or ["defaults"])[0])
