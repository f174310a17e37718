"""P-tuning: the small network is PEFT's, and what PEFT reads is what it gives."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from sevenfold.errors import ModelError
from sevenfold.tune.methods.p_tuning import PTuning

IDS = torch.tensor([[1, 5, 9, 2, 30]])


def attached(tiny_model, **fields):
    torch.manual_seed(1)
    network, method = tiny_model.network(torch.float32), PTuning(tokens=6, **fields)
    method.attach(network)
    return network, method


def peft_encoder(method, **fields):
    from peft import PromptEncoder, PromptEncoderConfig

    return PromptEncoder(
        PromptEncoderConfig(
            num_virtual_tokens=6,
            num_transformer_submodules=1,
            token_dim=64,
            encoder_reparameterization_type=method.encoder.upper(),
            encoder_hidden_size=method.width or 64,
            encoder_num_layers=method.layers,
            inference_mode=False,
        )
    )


@pytest.mark.parametrize("fields", [{}, {"width": 24}, {"encoder": "lstm", "width": 16}])
def test_vectors_and_gradients_are_those_of_pefts_encoder(fields, tiny_model) -> None:
    network, method = attached(tiny_model, **fields)
    mine = network.get_input_embeddings().beside.vectors
    theirs = peft_encoder(method)
    theirs.load_state_dict(mine.state_dict())
    found, expected = method.vectors(network), theirs(torch.arange(6)[None])[0]
    torch.testing.assert_close(found, expected)
    found.square().sum().backward()
    expected.square().sum().backward()
    for name, weight in theirs.named_parameters():
        torch.testing.assert_close(mine.get_parameter(name).grad, weight.grad)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 6 * 64 + 3 * (64 * 64 + 64)),
        ({"width": 24}, 6 * 64 + (64 * 24 + 24) + (24 * 24 + 24) + (24 * 64 + 64)),
        # Each way of an LSTM's layer: four gates with two matrices and two biases.
        (
            {"encoder": "lstm", "width": 8, "layers": 1},
            6 * 64 + 2 * 4 * (8 * 64 + 8 * 8 + 8 + 8) + (16 * 16 + 16) + (16 * 64 + 64),
        ),
    ],
)
def test_the_trained_parameters_are_counted_exactly(fields, count, tiny_model) -> None:
    network, method = attached(tiny_model, **fields)
    assert sum(weight.numel() for weight in method.trainable(network).values()) == count
    skeleton = tiny_model.skeleton()
    method.attach(skeleton)
    assert sum(weight.numel() for weight in method.trainable(skeleton).values()) == count


@pytest.mark.parametrize("fields", [{}, {"encoder": "lstm", "width": 16}])
def test_pefts_file_holds_the_vectors_alone_and_training_can_go_on(fields, tiny_model, tmp_path) -> None:
    network, method = attached(tiny_model, **fields)
    method.save(network, tmp_path, "tiny")
    kept = load_file(tmp_path / "adapter_model.safetensors")
    assert {name: tuple(value.shape) for name, value in kept.items()} == {"prompt_embeddings": (6, 64)}
    torch.testing.assert_close(kept["prompt_embeddings"], method.vectors(network))
    assert json.loads((tmp_path / "adapter_config.json").read_text())["peft_type"] == "P_TUNING"
    loaded = tiny_model.network(torch.float32)
    method.load(loaded, tmp_path)
    for name, weight in method.trainable(network).items():
        assert torch.equal(method.trainable(loaded)[name], weight)


def test_other_settings_do_not_load(tiny_model, tmp_path) -> None:
    network, method = attached(tiny_model)
    method.save(network, tmp_path, "tiny")
    with pytest.raises(ModelError, match=r"does not fit LlamaForCausalLM .*mlp_head"):
        PTuning(tokens=6, width=8).load(tiny_model.network(torch.float32), tmp_path)
