"""TRL's SFTTrainer on the shared rows: trl_sft.py MODEL ROWS STEPS [best].

``best`` is what TRL offers on a CPU: bfloat16 autocast, batches grouped by length, the chunked loss.
"""

from __future__ import annotations

import sys
import tempfile

import torch
from common import ALPHA, BATCH, MAX_LENGTH, RANK, RATE, Clock, read_rows
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

BEST = {"bf16": True, "train_sampling_strategy": "group_by_length", "loss_type": "chunked_nll"}


class Timer(TrainerCallback):
    def __init__(self, clock: Clock) -> None:
        self.clock, self.read = clock, 0

    def on_step_begin(self, *_, **__) -> None:
        self.read = 0
        self.clock.start()

    def on_log(self, *_, logs=None, **__) -> None:
        if "loss" in logs:
            self.clock.stop(self.read, float(logs["loss"]))


def main(model: str, rows: str, steps: int, best: bool) -> None:
    conversations = read_rows(rows, steps)
    data = Dataset.from_list([{"prompt": row[:-1], "completion": row[-1:]} for row in conversations])
    tokenizer = AutoTokenizer.from_pretrained(model)
    timer = Timer(Clock("TRL, its best" if best else "TRL, its defaults"))
    config = SFTConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=BATCH,
        max_steps=steps,
        learning_rate=RATE,
        max_length=MAX_LENGTH,
        completion_only_loss=True,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        gradient_checkpointing=False,
        seed=17,
        **({"bf16": False} | (BEST if best else {})),
    )
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=config,
        train_dataset=data,
        processing_class=tokenizer,
        callbacks=[timer],
        peft_config=LoraConfig(
            r=RANK, lora_alpha=ALPHA, target_modules="all-linear", lora_dropout=0.0, task_type="CAUSAL_LM"
        ),
    )
    step = trainer.training_step

    def counted(network, inputs, *rest, **named):
        timer.read += int(inputs["attention_mask"].sum())
        return step(network, inputs, *rest, **named)

    trainer.training_step = counted
    trainer.train()
    timer.clock.report()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:] == ["best"])
