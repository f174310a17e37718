"""TRL's GRPOTrainer on the shared prompts: grpo_trl.py MODEL ROWS STEPS [best].

``best`` is what TRL offers on a CPU: bfloat16 autocast.
"""

from __future__ import annotations

import sys
import tempfile

import torch
from common import ALPHA, ANSWERS, BATCH, NEW_TOKENS, RANK, RATE, Clock, overlap, read_rows, same_start
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer


class Timer(TrainerCallback):
    def __init__(self, clock: Clock) -> None:
        self.clock, self.rewards = clock, []

    def on_step_begin(self, *_, **__) -> None:
        self.clock.start()

    def on_log(self, *_, logs=None, **__) -> None:
        if "reward" in logs:
            written = float(logs["completions/mean_length"])
            self.clock.stop(round(BATCH * ANSWERS * written), float(logs["loss"]))
            self.rewards.append(round(float(logs["reward"]), 4))


def worth(completions: list, reference: list[str], **_: object) -> list[float]:
    return [overlap(said[0]["content"], right) for said, right in zip(completions, reference, strict=True)]


def main(model: str, rows: str, steps: int, best: bool) -> None:
    found = read_rows(rows, steps)
    data = Dataset.from_list([{"prompt": said[:-1], "reference": said[-1]["content"]} for said in found])
    timer = Timer(Clock("TRL, its best" if best else "TRL, its defaults"))
    config = GRPOConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=BATCH * ANSWERS,
        num_generations=ANSWERS,
        max_completion_length=NEW_TOKENS,
        max_steps=steps,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        gradient_checkpointing=False,
        shuffle_dataset=False,
        seed=17,
        bf16=best,
    )
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=config,
        train_dataset=data,
        reward_funcs=worth,
        processing_class=AutoTokenizer.from_pretrained(model),
        callbacks=[timer],
        peft_config=LoraConfig(
            r=RANK, lora_alpha=ALPHA, target_modules="all-linear", lora_dropout=0.0, task_type="CAUSAL_LM"
        ),
    )
    same_start(trainer.model)
    trainer.train()
    timer.clock.report_answers(BATCH * ANSWERS, timer.rewards)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:] == ["best"])
