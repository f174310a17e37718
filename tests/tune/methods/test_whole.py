"""A whole model from elsewhere goes through a run as if the run had trained it, and no step is taken."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file

from sevenfold.errors import ModelError, RecipeError
from sevenfold.record import Entry
from sevenfold.tune import rollback
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.tiny import make_model

IDS = torch.tensor([[1, 5, 9, 2, 30]])


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def section(folder, **fields) -> TuneSection:
    return TuneSection.model_validate({"method": {"whole": {"folder": str(folder)}}, **fields})


@pytest.fixture
def other(tmp_path):
    return make_model(tmp_path / "other", seed=1)


@pytest.fixture
def take(dataset, tiny_model, environment, tmp_path):
    """The stage on a folder."""

    def taken(folder):
        entry = Entry(tmp_path / "4-tune")
        entry.folder.mkdir()
        return tune(section(folder), dataset, tiny_model, environment, entry)

    return taken


def test_it_answers_as_that_model_does_and_is_merged_as_it_is(other, take, tiny_model, tmp_path) -> None:
    from transformers import AutoModelForCausalLM

    expected = logits(AutoModelForCausalLM.from_pretrained(other, dtype=torch.float32))
    tuned = take(other)
    shutil.rmtree(other)  # the run has its own copy
    assert torch.equal(logits(tuned.network(tiny_model, torch.float32)), expected)
    assert torch.equal(logits(tuned.merged(tiny_model, torch.float32)), expected)
    assert not torch.allclose(logits(tiny_model.network(torch.float32)), expected, atol=1e-2)
    assert (tuned.steps, tuned.trainable_parameters, tuned.adapter, tuned.losses) == (0, 0, False, [])
    again, _ = rollback.roll_back(tuned, tiny_model, ["*"])
    assert torch.equal(logits(again), logits(tiny_model.network(torch.float32)))


def test_weights_are_kept_in_the_types_that_they_have(other, take, environment) -> None:
    tuned = take(other)
    kept, given = load_file(tuned.weights / "model.safetensors"), load_file(other / "model.safetensors")
    assert all(torch.equal(kept[name], value) and kept[name].dtype == value.dtype for name, value in given.items())
    assert {path.name for path in tuned.weights.iterdir()} == {
        "model.safetensors", "config.json", "generation_config.json"
    }  # fmt: skip


def test_another_file_is_another_run(other, tiny_weights) -> None:
    first = section(other).outside()
    assert len(first) == 3
    shutil.copyfile(tiny_weights / "model.safetensors", other / "model.safetensors")
    assert section(other).outside() != first


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"method": "whole"}, "whole needs a folder"),
        ({"method": {"whole": {"folder": "x"}}, "steps": 4}, "whole trains nothing, and steps = 4"),
    ],
)
def test_fields_that_have_no_meaning_are_refused(fields, said) -> None:
    with pytest.raises((RecipeError, ValueError), match=said):
        TuneSection.model_validate(fields)


def test_models_that_do_not_fit_are_named(other, tiny_model, tmp_path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    network = tiny_model.network(torch.float32)
    with pytest.raises(ModelError, match=r"there are no weights in '.*nowhere'"):
        section(tmp_path / "nowhere").method.attach(network)
    for name, sizes in (("deep", {"num_hidden_layers": 3}), ("wide", {"intermediate_size": 64})):
        config = LlamaConfig.from_pretrained(other, **sizes)
        LlamaForCausalLM(config).save_pretrained(tmp_path / name)
        with pytest.raises(ModelError, match=rf"{name} is none of the base's own architecture and size"):
            section(tmp_path / name).method.attach(network)
