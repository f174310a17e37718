from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from sevenfold.deploy.exports import EXPORTS


def test_it_loads_anywhere_and_gives_the_tuned_logits(material, tmp_path):
    EXPORTS.find("merged")().write(material, tmp_path)
    ids = torch.arange(5, 60)[None]
    expected = material.tuned.network(material.model, torch.float32)(ids).logits
    base = material.model.network(torch.float32)(ids).logits
    found = AutoModelForCausalLM.from_pretrained(tmp_path, dtype="auto")(ids).logits
    assert (found - expected).abs().max() < 1e-4
    assert (found - base).abs().max() > 0.1


def test_template_and_stop_tokens_are_inside(material, tmp_path):
    EXPORTS.find("merged")().write(material, tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path).chat_template == material.model.tokenizer().chat_template
    assert GenerationConfig.from_pretrained(tmp_path).eos_token_id == [2]


@pytest.mark.parametrize(("asked", "dtype"), [("stored", torch.float32), ("bfloat16", torch.bfloat16)])
def test_the_type_of_the_weights_is_the_one_asked_for(material, tmp_path, asked, dtype):
    notes = EXPORTS.find("merged")(dtype=asked).write(material, tmp_path)
    network = AutoModelForCausalLM.from_pretrained(tmp_path, dtype="auto")
    assert {weight.dtype for weight in network.parameters()} == {dtype}
    assert notes == [f"weights in {str(dtype).removeprefix('torch.')}"]
