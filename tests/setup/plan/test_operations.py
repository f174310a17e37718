"""Operations against torch's own count."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from sevenfold.setup import plan
from tests.setup.plan.works import LLAMA_7B, SMALL, network, work


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


def test_the_machines_rate_is_measured():
    assert 1e8 < plan.measure_rate(torch.float32, seconds=0.05) < 1e15


def test_a_recomputed_block_costs_its_forward_pass_again():
    base = work(frozen=7_000_000_000, trainable=20_000_000, total_supervised=0)
    once = 2 * (LLAMA_7B.block_parameters + 20_000_000) + 2 * base.mean_length * LLAMA_7B.hidden * LLAMA_7B.layers
    again = plan.flops(replace(base, recomputed=16)) - plan.flops(base)
    assert again == pytest.approx(base.total_tokens * once / 2)


def test_what_is_read_without_gradients_costs_its_forward_pass():
    learnt = work(SMALL, frozen=10**6, trainable=10**5)
    read = replace(learnt, backward=False)
    assert plan.flops(replace(learnt, tokens_before=10**6)) == plan.flops(learnt) + plan.flops(read)
    assert plan.flops(replace(learnt, forwards=2.0)) == plan.flops(learnt) + 2 * plan.flops(read)
    assert plan.flops(replace(learnt, operations_beside=7.0)) == plan.flops(learnt) + 7 * 10**6
