"""LoRA: what it writes is PEFT's, and mistakes in its fields are named."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.methods.lora import Lora

IDS = torch.tensor([[1, 5, 9, 2, 30]])


@pytest.fixture
def changed(tiny_model):
    """A network with an adapter that does something."""
    torch.manual_seed(1)
    network = tiny_model.network(torch.float32)
    method = Lora(rank=4, alpha=6)
    method.attach(network)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return method, network


@pytest.mark.parametrize("stabilized", [False, True])
def test_peft_reads_the_file_and_answers_the_same(stabilized, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    torch.manual_seed(1)
    network = tiny_model.network(torch.float32)
    method = Lora(rank=4, alpha=6, rank_stabilized=stabilized)
    method.attach(network)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(theirs(IDS).logits, network(IDS).logits, rtol=1e-5, atol=1e-5)


def test_gradients_are_pefts(changed, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    method, network = changed
    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tmp_path, is_trainable=True)
    for model in (network, theirs):
        torch.log_softmax(model(IDS).logits, -1)[0, :-1].gather(-1, IDS[0, 1:, None]).sum().backward()
    mine = {name: weight.grad for name, weight in method.trainable(network).items()}
    for name, weight in theirs.named_parameters():
        if weight.requires_grad:
            key = name.removeprefix("base_model.model.").replace(".default", "")
            torch.testing.assert_close(mine[key], weight.grad, rtol=1e-4, atol=1e-5)


def test_targets_choose_layers_by_the_end_of_their_name(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    names = Lora(targets=["q_proj", "mlp.up_proj"]).target_names(network)
    assert len(names) == 4
    assert {name.rsplit(".", 1)[-1] for name in names} == {"q_proj", "up_proj"}


def test_a_target_that_names_nothing_suggests_the_nearest(tiny_model) -> None:
    with pytest.raises(RecipeError, match="did you mean: q_proj"):
        Lora(targets=["q_prj"]).target_names(tiny_model.network(torch.float32))


def test_a_network_without_linear_layers_is_refused() -> None:
    network = torch.nn.Sequential(torch.nn.Embedding(5, 8), torch.nn.LayerNorm(8))
    network.get_output_embeddings = lambda: None
    with pytest.raises(ModelError, match=r"no linear layers[\s\S]*full"):
        Lora().attach(network)  # type: ignore[arg-type]


def test_gpt2s_transposed_layers_are_adapted_as_peft_reads_them(tmp_path) -> None:
    from peft import PeftModel
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(1)
    network = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=50)).eval()
    network.save_pretrained(tmp_path / "base")
    method = Lora(rank=2)
    method.attach(network)
    for name, weight in method.trainable(network).items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    method.save(network, tmp_path, "tiny")
    theirs = PeftModel.from_pretrained(GPT2LMHeadModel.from_pretrained(tmp_path / "base"), tmp_path)
    with torch.no_grad():
        expected = network(IDS).logits
        torch.testing.assert_close(theirs(IDS).logits, expected, rtol=1e-5, atol=1e-5)
        method.merge(network)
        torch.testing.assert_close(network(IDS).logits, expected, rtol=1e-5, atol=1e-5)


def test_the_config_says_what_peft_needs(changed, tmp_path) -> None:
    method, network = changed
    method.save(network, tmp_path, "tiny")
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert (config["peft_type"], config["r"], config["lora_alpha"]) == ("LORA", 4, 6)
    assert len(config["target_modules"]) == 14
