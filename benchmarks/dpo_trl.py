"""TRL's DPOTrainer on the shared pairs: dpo_trl.py MODEL PAIRS [best].

``best`` is what TRL offers on a CPU: bfloat16 autocast, and what the model says at the start computed once beforehand.
The pairs come as texts that the chat template was applied to, whose tokens are those that the other contestant reads.
"""

from __future__ import annotations

import sys
import tempfile
import time

import torch
from common import ALPHA, BATCH, MAX_LENGTH, RANK, RATE, Clock, read_pairs, same_start
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import DPOConfig, DPOTrainer


class Timer(TrainerCallback):
    def __init__(self, clock: Clock) -> None:
        self.clock, self.read = clock, 0

    def on_step_begin(self, *_, **__) -> None:
        self.read = 0
        self.clock.start()

    def on_log(self, *_, logs=None, **__) -> None:
        if "loss" in logs:
            self.clock.stop(self.read, float(logs["loss"]))


class Timed(DPOTrainer):
    """Counts the seconds of what is computed before the first step, and the tokens of each."""

    prepared, timer = 0.0, None

    def _precompute_ref_logps(self, *given, **named):
        started = time.perf_counter()
        found = super()._precompute_ref_logps(*given, **named)
        self.prepared += time.perf_counter() - started
        return found

    def training_step(self, model, inputs, *rest, **named):
        self.timer.read += int(inputs["attention_mask"].sum())
        return super().training_step(model, inputs, *rest, **named)


def main(model: str, pairs: str, best: bool) -> None:
    texts = [pair.texts for pair in read_pairs(pairs)]
    data = Dataset.from_list([dict(zip(("prompt", "chosen", "rejected"), each, strict=True)) for each in texts])
    timer = Timer(Clock("TRL, its best" if best else "TRL, its defaults"))
    config = DPOConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=BATCH,
        num_train_epochs=1,
        learning_rate=RATE,
        lr_scheduler_type="constant",
        max_length=MAX_LENGTH,
        beta=0.1,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        gradient_checkpointing=False,
        train_sampling_strategy="sequential",
        seed=17,
        bf16=best,
        precompute_ref_log_probs=best,
    )
    trainer = Timed(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=config,
        train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(model),
        callbacks=[timer],
        peft_config=LoraConfig(
            r=RANK, lora_alpha=ALPHA, target_modules="all-linear", lora_dropout=0.0, task_type="CAUSAL_LM"
        ),
    )
    trainer.timer = timer
    same_start(trainer.model)
    trainer.train()
    timer.clock.report_pairs(trainer.prepared)


main(sys.argv[1], sys.argv[2], sys.argv[3:] == ["best"])
