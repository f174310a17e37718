"""Shapes, works and networks that the tests of the plan share."""

from __future__ import annotations

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from sevenfold.setup import plan

LLAMA_7B = plan.Shape(layers=32, hidden=4096, intermediate=11008, heads=32, key_value_heads=32, vocabulary=32000)
SMALL = plan.Shape(layers=2, hidden=64, intermediate=160, heads=4, key_value_heads=2, vocabulary=500)


def work(shape=LLAMA_7B, frozen=0, trainable=7_000_000_000, tokens=2048, **more):
    values = {"supervised_per_pass": tokens // 2, "total_tokens": 10**6, "total_supervised": 5 * 10**5}
    return plan.Work(shape, frozen, trainable, tokens_per_pass=tokens, mean_length=256, **{**values, **more})


def network(shape, device="cpu"):
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
    )
    with torch.device(device):
        return AutoModelForCausalLM.from_config(config)
