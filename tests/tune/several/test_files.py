"""Adapters in PEFT's format: what is read, and what is refused and why."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from sevenfold.errors import ModelError
from sevenfold.tune.several.files import LoraFile, write
from tests.tune.several import made


@pytest.fixture
def folder(tiny_model, tmp_path):
    return made.adapter(tiny_model, tmp_path / "one", 1, rank=4, alpha=6)


def spoiled(folder, **fields):
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, **fields}))


def test_a_layers_change_is_pefts(folder, tiny_model) -> None:
    from peft import PeftModel

    spoiled(folder, alpha_pattern={"up_proj": 3, "0.self_attn.q_proj": 1})
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), folder).base_model.model
    file = LoraFile(folder)
    assert len(file.names) == 14
    assert file.base == "tiny"
    for name in file.names:
        expected = theirs.get_submodule(name).get_delta_weight("default")
        torch.testing.assert_close(file.pair(name).change(), expected.detach())
    assert file.pair("model.layers.0.nothing") is None


def test_a_folder_without_an_adapter_names_those_below_it(folder, tmp_path) -> None:
    with pytest.raises(ModelError, match="holds no adapter") as caught:
        LoraFile(tmp_path)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias: all"),
        ({"peft_type": "IA3"}, "type IA3"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights: pissa"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
    ],
)
def test_more_than_low_rank_pairs_is_refused(fields, said, folder) -> None:
    spoiled(folder, **fields)
    with pytest.raises(ModelError, match=said):
        LoraFile(folder)


def test_broken_weights_are_refused(folder) -> None:
    path = folder / "adapter_model.safetensors"
    save_file({"base_model.model.a.lora_A.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(ModelError, match=r"a\.lora_A\.weight"):
        LoraFile(folder)
    path.write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="cannot be read") as caught:
        LoraFile(folder)
    assert "safetensors" in str(caught.value)


def test_what_is_written_is_read(tmp_path) -> None:
    tensors = {
        "base_model.model.a.lora_A.weight": torch.randn(2, 3),
        "base_model.model.a.lora_B.weight": torch.randn(4, 2),
    }
    write(tmp_path / "new", tensors, {"peft_type": "LORA", "lora_alpha": 4, "use_rslora": True})
    pair = LoraFile(tmp_path / "new").pair("a")
    expected = 4 / 2**0.5 * tensors["base_model.model.a.lora_B.weight"] @ tensors["base_model.model.a.lora_A.weight"]
    torch.testing.assert_close(pair.change(), expected)
