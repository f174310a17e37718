"""The plan's arithmetic against counts that are made in another way."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from sevenfold.errors import MachineError
from sevenfold.load.model import Card
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


def test_a_7b_model_in_float32_takes_28_gb_and_112_gb_to_tune():
    parts = plan.memory(work())
    assert parts["weights"] == 28e9
    assert parts["weights"] + parts["gradients"] + parts["optimizer"] == 112e9


def test_lora_on_a_frozen_7b_in_bfloat16():
    parts = plan.memory(work(frozen=7_000_000_000, trainable=40_000_000, activation_bytes=2, frozen_bytes=2))
    assert parts["weights"] == 14e9 + 40e6 * (4 + 2), "float32 adapters, and their bfloat16 copies while they work"
    assert parts["gradients"] + parts["optimizer"] == 40e6 * 12


def test_parameters_of_a_network_that_is_laid_out_without_memory():
    parameters = sum(weight.numel() for weight in network(LLAMA_7B, "meta").parameters())
    embeddings = 2 * LLAMA_7B.vocabulary * LLAMA_7B.hidden
    norms = (2 * LLAMA_7B.layers + 1) * LLAMA_7B.hidden
    assert parameters == 6_738_415_616
    assert LLAMA_7B.block_parameters == parameters - embeddings - norms


def test_shape_of_a_card():
    card = Card(name="x", layers=2, hidden=64, intermediate=160, heads=4, key_value_heads=2, vocabulary=500)
    assert plan.Shape.of(card) == SMALL
    assert SMALL.key_value_hidden == 32


@pytest.mark.parametrize("frozen", [False, True])
def test_a_blocks_bytes_are_what_autograd_keeps(frozen):
    """Storages that the backward pass keeps for one more layer, over the tokens."""
    tokens = 256

    def kept(layers):
        net = network(replace(SMALL, layers=layers)).train()
        if frozen:
            # What LoRA keeps: inputs of linear layers, no gradients of the frozen norms.
            for name, weight in net.named_parameters():
                weight.requires_grad_("norm" not in name)
        own = {weight.untyped_storage().data_ptr() for weight in net.parameters()}
        seen = {}

        def pack(tensor):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                seen[storage.data_ptr()] = (storage.nbytes(), tensor)
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            net.model(torch.randint(0, 500, (1, tokens)), use_cache=False)
        return sum(size for size, _ in seen.values())

    expected = plan.block_bytes(work(SMALL, frozen=10**6 if frozen else 0, trainable=10**5))
    assert (kept(3) - kept(2)) / tokens == pytest.approx(expected, rel=0.1)


def test_operations_are_what_torch_counts():
    """One pass, forward and backward, counted by torch's own counter of products."""
    from torch.utils.flop_counter import FlopCounterMode

    tokens = 128
    net = network(SMALL).train()
    net.set_attn_implementation("eager")
    ids = torch.randint(0, 500, (1, tokens))
    with FlopCounterMode(display=False) as counter:
        net(ids, labels=ids).loss.backward()
    # Eager attention multiplies the whole square, of which causal attention needs half.
    planned = work(SMALL, tokens=tokens, total_tokens=tokens, total_supervised=tokens)
    planned = replace(planned, mean_length=2 * tokens)
    logits_again = 2 * tokens * SMALL.vocabulary * SMALL.hidden
    assert plan.flops(planned) - logits_again == counter.get_total_flops()


def test_a_frozen_base_saves_about_a_third_of_the_time():
    full = plan.flops(work(total_supervised=0))
    adapter = plan.flops(work(frozen=7_000_000_000, trainable=20_000_000, total_supervised=0))
    assert adapter / full == pytest.approx(2 / 3, rel=0.03)


def test_time_is_operations_over_the_rate():
    made = plan.make(work(), 10**12, rate=1e12)
    assert made.seconds == pytest.approx(plan.flops(work()) / (1e12 * plan.TRAINING_SHARE))
    assert made.fits
    assert made.advice == []
    made.require()


def test_what_cannot_fit_is_refused_and_what_would_fit_is_said():
    made = plan.make(work(tokens=2048, longest_row=512), available_bytes=40 * 10**9, rate=1e12)
    with pytest.raises(MachineError) as caught:
        made.require()
    message = str(caught.value)
    assert "training needs about" in message
    assert "of which optimizer 56.0 GB" in message
    assert "at most 40.0 GB" in message
    assert "tune.method: lora with setup.precision: bfloat16 (needs" in message


def test_a_smaller_pass_is_enough():
    small = work(SMALL, frozen=10**6, trainable=10**5, tokens=65536, longest_row=1000)
    room = sum(plan.memory(plan.resized(small, 16384)).values())
    assert plan.advise(small, room)[0].startswith("tune.tokens_per_pass: 16384 (needs ")
    assert plan.largest_pass(small, room) == 16384


def test_a_pass_never_gets_smaller_than_the_longest_row():
    small = work(SMALL, frozen=10**6, trainable=10**5, tokens=4096, longest_row=3000)
    assert plan.largest_pass(small, small.overhead_bytes) is None
    assert plan.largest_pass(small, sum(plan.memory(plan.resized(small, 3000)).values())) == 3000


def test_nothing_fits():
    made = plan.make(work(), available_bytes=10**8, rate=1e12)
    assert made.advice == []
    with pytest.raises(MachineError, match="a smaller model"):
        made.require()


def test_advice_fits():
    """Every piece of advice, followed, needs no more than there is."""
    heavy = work(tokens=8192, longest_row=256)
    for room in (20e9, 35e9, 60e9, 115e9, 130e9):
        for text in plan.advise(heavy, int(room)):
            assert float(text.rpartition("(needs ")[2].removesuffix(" GB)")) <= room / 1e9 + 0.05


def test_the_machines_rate_is_measured():
    assert 1e8 < plan.measure_rate(torch.float32, seconds=0.05) < 1e15
