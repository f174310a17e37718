"""A plain loop of transformers and PEFT with padded batches: plain.py MODEL ROWS STEPS [bf16].

What a careful user writes: loss on replies only, one padded batch a step, AdamW.
"""

from __future__ import annotations

import contextlib
import sys

import torch
from common import ALPHA, BATCH, MAX_LENGTH, RANK, RATE, Clock, read_rows, same_start
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer


def encode(tokenizer, messages) -> tuple[list[int], list[int]]:
    prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, tokenize=False)
    whole = tokenizer.apply_chat_template(messages, tokenize=False).removesuffix("\n")
    ids = tokenizer(whole, add_special_tokens=False)["input_ids"][:MAX_LENGTH]
    read = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    return ids, [-100] * min(read, len(ids)) + ids[read:]


def padded(rows: list[list[int]], filler: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [filler] * (longest - len(row)) for row in rows])


def main(model: str, rows: str, steps: int, precision: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", lora_dropout=0.0, task_type="CAUSAL_LM")
    network = get_peft_model(network, config).train()
    same_start(network)
    optimizer = torch.optim.AdamW([w for w in network.parameters() if w.requires_grad], lr=RATE, fused=True)
    examples = [encode(tokenizer, messages) for messages in read_rows(rows, steps)]
    clock = Clock(f"transformers + PEFT, {precision}")
    for step in range(steps):
        batch = examples[step * BATCH : (step + 1) * BATCH]
        clock.start()
        ids, labels = padded([ids for ids, _ in batch], 0), padded([labels for _, labels in batch], -100)
        mask = padded([[1] * len(ids) for ids, _ in batch], 0)
        low = torch.autocast("cpu", dtype=torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()
        with low:
            loss = network(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.stop(int(mask.sum()), loss.item())
    clock.report()


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), (sys.argv[4:] or ["fp32"])[0])
