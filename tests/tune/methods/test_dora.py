"""DoRA: PEFT's file, PEFT's gradients, and one number an output more than LoRA."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import ModelError
from sevenfold.tune.methods.dora import Dora
from sevenfold.tune.methods.lora import Lora

IDS = torch.tensor([[1, 5, 9, 2, 30]])


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def moved(method, network) -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in method.trainable(network).values():
            weight.add_(0.1 * torch.randn_like(weight))


@pytest.fixture(params=["kaiming", "pissa"])
def method(request) -> Dora:
    return Dora(rank=4, alpha=6, init=request.param)


@pytest.fixture
def network(method, tiny_model):
    network = tiny_model.network(torch.float32)
    method.attach(network)
    moved(method, network)
    return network


def test_peft_reads_the_file_and_answers_the_same(method, network, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    method.save(network, tmp_path, "tiny")
    assert json.loads((tmp_path / "adapter_config.json").read_text())["use_dora"] is True
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tmp_path)
    torch.testing.assert_close(logits(theirs), logits(network), rtol=1e-4, atol=1e-4)


def test_gradients_are_pefts(tiny_model, tmp_path) -> None:
    from peft import PeftModel

    method, network = Dora(rank=4, alpha=6), tiny_model.network(torch.float32)
    method.attach(network)
    moved(method, network)
    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tmp_path, is_trainable=True)
    for model in (network, theirs):
        torch.log_softmax(model(IDS).logits, -1)[0, :-1].gather(-1, IDS[0, 1:, None]).sum().backward()
    mine = {name: weight.grad for name, weight in method.trainable(network).items()}
    compared = 0
    for name, weight in theirs.named_parameters():
        if weight.requires_grad:
            key = name.removeprefix("base_model.model.").replace(".default", "")
            key = key.replace("lora_magnitude_vector.weight", "lora_magnitude_vector")
            torch.testing.assert_close(mine[key], weight.grad, rtol=1e-4, atol=1e-4)
            compared += 1
    assert compared == len(mine) == 3 * 14


def test_it_has_one_number_an_output_more_than_lora(tiny_model) -> None:
    counts = {}
    for kind in (Lora, Dora):
        network = tiny_model.skeleton()
        kind(rank=4).attach(network)
        counts[kind] = sum(weight.numel() for weight in kind(rank=4).trainable(network).values())
    outputs = 2 * (64 + 32 + 32 + 64 + 128 + 128 + 64)
    assert counts[Dora] == counts[Lora] + outputs


def test_the_start_is_the_base_to_the_last_bit(method, tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    before = logits(network)
    method.attach(network)
    assert torch.equal(logits(network), before)


def test_gpt2s_transposed_layers_are_adapted_as_peft_reads_them(tmp_path) -> None:
    from peft import PeftModel
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    network = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=50)).eval()
    network.save_pretrained(tmp_path / "base")
    method = Dora(rank=2)
    method.attach(network)
    moved(method, network)
    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(GPT2LMHeadModel.from_pretrained(tmp_path / "base"), tmp_path)
    expected = logits(network)
    torch.testing.assert_close(logits(theirs), expected, rtol=1e-4, atol=1e-4)
    method.merge(network)
    torch.testing.assert_close(logits(network), expected, rtol=1e-4, atol=1e-4)


def test_a_plain_loras_file_is_refused(tiny_model, tmp_path) -> None:
    network = tiny_model.network(torch.float32)
    Lora(rank=4).attach(network)
    Lora(rank=4).save(network, tmp_path, "tiny")
    with pytest.raises(ModelError, match="lora_magnitude_vector"):
        Dora(rank=4).load(tiny_model.network(torch.float32), tmp_path)
