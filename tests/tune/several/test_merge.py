"""A merge as a whole: what it refuses, what it warns of, what it writes down."""

from __future__ import annotations

import json

import pytest

from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.several.combinations.concatenate import Concatenate
from sevenfold.tune.several.combinations.svd import Svd
from sevenfold.tune.several.files import LoraFile
from sevenfold.tune.several.merge import merge
from tests import tiny
from tests.tune.several import made


@pytest.fixture
def parents(tiny_model, tmp_path):
    return [LoraFile(made.adapter(tiny_model, tmp_path / str(seed), seed)) for seed in (1, 2)]


def test_energy_is_all_at_the_sum_of_the_ranks_and_less_below(parents, tmp_path) -> None:
    whole = merge(parents, [1, 1], Svd(rank=8), 0, tmp_path / "whole")
    assert whole.energy == pytest.approx(1.0)
    half = merge(parents, [1, 1], Svd(), 0, tmp_path / "half")
    assert half.rank == 4
    assert half.worst_layer[1] < half.energy < 1
    assert merge(parents, [1, 1], Concatenate(), 0, tmp_path / "cat").rank == 8


def test_it_writes_down_what_it_was_made_of(parents, tmp_path) -> None:
    merge(parents, [0.7, 0.3], Svd(rank=2), 11, tmp_path / "out")
    record = json.loads((tmp_path / "out" / "sevenfold.json").read_text())
    assert record["how"] == {"svd": {"rank": 2}}
    assert [parent["weight"] for parent in record["parents"]] == [0.7, 0.3]
    assert record["seed"] == 11


@pytest.mark.parametrize("weights", [[1.0], [1.0, 1.0, 1.0]])
def test_every_parent_needs_a_weight(weights, parents, tmp_path) -> None:
    with pytest.raises(RecipeError, match=f"2 adapters with {len(weights)} weights"):
        merge(parents, weights, Svd(), 0, tmp_path / "out")


def test_one_adapter_is_nothing_to_merge(parents, tmp_path) -> None:
    with pytest.raises(RecipeError, match="two adapters or more"):
        merge(parents[:1], [1.0], Svd(), 0, tmp_path / "out")


def test_adapters_of_another_size_are_refused(parents, tiny_model, tmp_path) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from sevenfold.load.model import Model

    config = LlamaConfig.from_pretrained(tiny_model.weights)
    config.hidden_size = 32
    LlamaForCausalLM(config).to(torch.float32).save_pretrained(tmp_path / "small")
    (tmp_path / "load").mkdir()
    tiny.make_tokenizer(tmp_path / "load" / "tokenizer")
    other = Model(card=tiny_model.card, weights=tmp_path / "small", stop_ids=[2]).save(tmp_path / "load")
    stranger = LoraFile(made.adapter(other, tmp_path / "stranger", 3))
    with pytest.raises(ModelError, match="layers of different sizes: 32 x 128, 64 x 128"):
        merge([parents[0], stranger], [1, 1], Svd(), 0, tmp_path / "out")


def test_other_bases_and_unknown_prompts_are_said(parents, tmp_path) -> None:
    path = parents[1].folder / "adapter_config.json"
    path.write_text(path.read_text().replace('"tiny"', '"other"'))
    merged = merge([parents[0], LoraFile(parents[1].folder)], [1, 1], Svd(), 0, tmp_path / "out")
    assert any("different base models: 'tiny', 'other'" in warning for warning in merged.warnings)
    assert any("the form of the prompts is not known" in warning for warning in merged.warnings)
