"""AdaLoRA: the budget is met exactly, the file holds what is kept, and what cannot be is refused."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from sevenfold.errors import RecipeError
from sevenfold.record import Entry
from sevenfold.schema import build
from sevenfold.tune.methods import METHODS
from sevenfold.tune.methods.adalora import adapters
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune

IDS = torch.tensor([[1, 5, 9, 2, 30]])
FIELDS = {"initial_rank": 6, "target_rank": 2, "every": 2, "final": 0.25}


def train(tmp_path, dataset, model, environment, **fields):
    section = {"method": {"adalora": FIELDS}, "learning_rate": 1e-2, "steps": 8, "batch": 4, "keep": "last", **fields}
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    return tune(TuneSection.model_validate(section), dataset, model, environment, entry)


@pytest.fixture
def tuned(tmp_path, dataset, tiny_model, environment):
    return train(tmp_path, dataset, tiny_model, environment)


def test_the_budget_is_met_exactly_and_layers_differ(tuned, tiny_model) -> None:
    """The paper's claim: ranks move between layers while their sum is what was asked for."""
    layers = adapters(tuned.network(tiny_model, torch.float32))
    kept = [int((layer.lora_E["default"] != 0).sum()) for layer in layers.values()]
    assert sum(kept) == 14 * FIELDS["target_rank"]
    assert len(set(kept)) > 1


def test_the_file_holds_the_kept_triplets_only(tuned, tiny_model) -> None:
    tensors = load_file(tuned.weights / "adapter_model.safetensors")
    assert sum(len(value) for name, value in tensors.items() if name.endswith("lora_E")) == 14 * FIELDS["target_rank"]
    config = json.loads((tuned.weights / "adapter_config.json").read_text())
    assert sum(map(sum, config["rank_pattern"].values())) == 14 * FIELDS["target_rank"]
    assert (config["init_r"], config["target_r"], config["total_step"]) == (6, 2, 8)


def test_weights_that_are_not_kept_are_zero_and_a_loaded_network_trains_on(tuned, tiny_model) -> None:
    network = tuned.network(tiny_model, torch.float32)
    network(IDS).logits.sum().backward()
    for layer in adapters(network).values():
        gone = ~layer.kept
        assert not layer.lora_A["default"][gone].any()
        assert not layer.lora_E["default"].grad[gone].any()


def test_peft_answers_the_same_with_layers_of_other_ranks(tuned, tiny_model) -> None:
    from peft import PeftModel

    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tuned.weights)
    ranks = {len(part.lora_E["default"]) for part in theirs.modules() if hasattr(part, "lora_E")}
    assert len(ranks) > 1
    with torch.no_grad():
        expected = tuned.network(tiny_model, torch.float32)(IDS).logits
        torch.testing.assert_close(theirs.eval()(IDS).logits, expected, rtol=1e-5, atol=1e-5)


def test_it_cannot_move_weights_before_all_gradients_are_there(tmp_path, dataset, tiny_model, environment) -> None:
    with pytest.raises(RecipeError, match=r"all layers[\s\S]*step_in_backward: false"):
        train(tmp_path, dataset, tiny_model, environment, clip=None, engine={"step_in_backward": True})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"initial_rank": 4, "target_rank": 8}, "target_rank = 8 is over initial_rank = 4"),
        ({"warmup": 0.5, "final": 0.5}, "leaves no step for choosing"),
    ],
)
def test_fields_that_leave_nothing_to_choose_are_refused(fields, message) -> None:
    with pytest.raises(RecipeError, match=message):
        build(METHODS.find("adalora"), fields, "adalora")
