"""Memory by part against counts that are made in another way."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from sevenfold.setup import plan
from sevenfold.setup.plan import parts
from tests.setup.plan.works import SMALL, network, work


def test_a_7b_model_in_float32_takes_28_gb_and_112_gb_to_tune():
    found = plan.memory(work())
    assert found["weights"] == 28e9
    assert found["weights"] + found["gradients"] + found["optimizer"] == 112e9


def test_lora_on_a_frozen_7b_in_bfloat16():
    found = plan.memory(work(frozen=7_000_000_000, trainable=40_000_000, activation_bytes=2, frozen_bytes=2))
    assert found["weights"] == 14e9 + 40e6 * (4 + 2), "float32 adapters, and their bfloat16 copies while they work"
    assert found["gradients"] + found["optimizer"] == 40e6 * 12


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

    expected = parts.block_bytes(work(SMALL, frozen=10**6 if frozen else 0, trainable=10**5))
    assert (kept(3) - kept(2)) / tokens == pytest.approx(expected, rel=0.1)


def test_a_recomputed_block_keeps_its_input():
    base = work(SMALL, frozen=10**6, trainable=10**5, activation_bytes=2, frozen_bytes=2, recomputable=2)
    saved = parts.activations(base) - parts.activations(replace(base, recomputed=1))
    assert saved == base.tokens_per_pass * (parts.block_bytes(base) - 2 * SMALL.hidden)
    again = parts.activations(replace(base, recomputed=2))
    assert again == base.tokens_per_pass * (2 * parts.block_bytes(base) + 2 * 2 * SMALL.hidden)


def test_offloaded_activations_leave_what_is_in_work():
    base = work(SMALL, offloaded=True)
    assert parts.activations(base) == 2 * base.tokens_per_pass * parts.block_bytes(base)


def test_gradients_that_never_exist_together():
    assert plan.memory(work(gradient_parameters=1000))["gradients"] == 4000


def test_nothing_is_kept_below_the_lowest_weight_that_moves():
    base = work(SMALL, frozen=10**6, trainable=10**5)
    saved = parts.activations(base) - parts.activations(replace(base, backward_blocks=1))
    assert saved == base.tokens_per_pass * parts.block_bytes(base)
    assert plan.flops(replace(base, backward_blocks=1)) < plan.flops(base)
