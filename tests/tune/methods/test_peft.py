"""The generic entry to PEFT's catalogue: names, fields, refusals."""

from __future__ import annotations

import sys

import pytest
import torch

from sevenfold.errors import MachineError, ModelError, RecipeError
from sevenfold.schema import build
from sevenfold.tune.methods import METHODS


def peft(**fields):
    return build(METHODS.find("peft"), fields, "peft")


@pytest.mark.parametrize("name", ["FourierFT", "fourierft", "FOURIERFT"])
def test_capitals_and_underscores_do_not_matter(name) -> None:
    assert peft(type=name).type == "FOURIERFT"
    assert peft(type="LNTuning").type == "LN_TUNING"


def test_a_misspelt_type_suggests_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean: FOURIERFT"):
        peft(type="FourrierFT")


def test_a_refused_type_says_why_and_what_there_is() -> None:
    with pytest.raises(RecipeError) as error:
        peft(type="poly")
    for part in ("which task", "MISS"):
        assert part in str(error.value)


def test_an_unknown_field_suggests_the_nearest(tiny_model) -> None:
    method = peft(type="MISS", config={"rr": 4, "target_module": ["q_proj"]})
    with pytest.raises(RecipeError, match="MissConfig has no field 'rr'") as error:
        method.attach(tiny_model.network(torch.float32))
    assert error.value.where == "tune.method.peft"
    assert "target_modules" in error.value.alternatives


def test_what_peft_refuses_is_the_recipes_error(tiny_model) -> None:
    with pytest.raises(RecipeError, match=r"OFTConfig refuses[\s\S]*oft_block_size"):
        peft(type="OFT", config={"r": 4}).attach(tiny_model.network(torch.float32))
    with pytest.raises(RecipeError, match=r"C3A cannot be put into LlamaForCausalLM[\s\S]*block size"):
        peft(type="C3A", config={"block_size": 48}).attach(tiny_model.network(torch.float32))
    with pytest.raises(RecipeError, match=r"nowhere[\s\S]*not found"):
        peft(config={"target_modules": ["nowhere"]}).attach(tiny_model.network(torch.float32))


@pytest.mark.parametrize(
    ("key", "value"), [("bias", "all"), ("modules_to_save", ["lm_head"]), ("trainable_token_indices", [3])]
)
def test_what_moves_the_base_is_refused(key, value) -> None:
    with pytest.raises(RecipeError, match=f"config.{key}"):
        peft(type="LORA", config={key: value})


def test_fields_reach_pefts_layers(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    peft(type="MISS", config={"r": 4, "target_modules": ["up_proj"]}).attach(network)
    adapted = [name for name, part in network.named_modules() if hasattr(part, "miss_block")]
    assert [name.rsplit(".", 1)[-1] for name in adapted] == ["up_proj"] * 2
    assert network.get_submodule(adapted[0]).miss_block["default"].shape == (4, 128)


def test_an_architecture_that_peft_does_not_know_is_adapted_in_all_linear_layers(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    network.config.model_type = "unheard"
    peft().attach(network)
    assert sum(hasattr(part, "miss_block") for part in network.modules()) == 14


def test_an_adapter_of_another_type_or_another_base_is_not_loaded(tiny_model, tmp_path) -> None:
    network, method = tiny_model.network(torch.float32), peft(config={"target_modules": ["up_proj"]})
    method.attach(network)
    method.save(network, tmp_path, "tiny")
    with pytest.raises(ModelError, match=r"type MISS[\s\S]*type LOHA"):
        peft(type="LOHA").load(tiny_model.network(torch.float32), tmp_path)
    wider = type(network)(type(network.config)(**{**network.config.to_dict(), "intermediate_size": 96}))
    with pytest.raises(ModelError, match=r"does not fit LlamaForCausalLM: base_model.model.model.layers.0.mlp.up_proj"):
        method.load(wider, tmp_path)


def test_the_files_are_the_same_every_time(tiny_model, tmp_path) -> None:
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        network = tiny_model.network(torch.float32)
        torch.manual_seed(1)
        peft(config={"target_modules": "all-linear"}).attach(network)
        peft().save(network, folder, "the-base")
        written.append([path.read_bytes() for path in sorted(folder.iterdir())])
    assert written[0] == written[1]
    assert b'"base_model_name_or_path": "the-base"' in written[0][0]
    assert str(tmp_path).encode() not in written[0][0]


def test_a_network_is_freed_with_its_last_name(tiny_model) -> None:
    import gc
    import weakref

    network = tiny_model.network(torch.float32)
    peft().attach(network)
    weight = weakref.ref(network.model.embed_tokens.weight)
    gc.disable()
    try:
        del network
        assert weight() is None
    finally:
        gc.enable()


def test_without_the_package_the_error_says_how_to_get_it(tiny_model, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(MachineError, match=r"pip install 'sevenfold\[peft\]'"):
        peft().attach(tiny_model.network(torch.float32))
