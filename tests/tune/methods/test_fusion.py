"""AdapterFusion: the plain formula, what is learnt, and that the folder stands alone."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from torch import nn

from sevenfold.errors import ModelError, RecipeError
from sevenfold.record import Entry
from sevenfold.tune.engine.fusion import FusedLinear
from sevenfold.tune.methods.fusion import Fusion
from sevenfold.tune.section import TuneSection
from sevenfold.tune.several.files import Pair
from sevenfold.tune.stage import tune
from tests.tune.several import made

IDS = torch.tensor([[1, 5, 9, 2, 30]])


@pytest.fixture
def adapters(tiny_model, tmp_path):
    """Two adapters; the second one leaves most layers alone."""
    return [
        str(made.adapter(tiny_model, tmp_path / "a", 1)),
        str(made.adapter(tiny_model, tmp_path / "b", 2, rank=2, targets=["q_proj", "up_proj"])),
    ]


def pairs():
    return [Pair(torch.randn(rank, 12), torch.randn(20, rank), scale) for rank, scale in ((3, 0.5), (2, 1.5), (4, 1.0))]


@pytest.mark.parametrize("value", [False, True])
@pytest.mark.parametrize("width", [5, None])
def test_it_is_the_papers_formula(width, value) -> None:
    torch.manual_seed(0)
    found = pairs()
    layer = FusedLinear(nn.Linear(12, 20), found, width, value)
    for weight in layer.parameters():
        nn.init.normal_(weight, std=0.3) if weight.requires_grad else None
    layer.base_layer.requires_grad_(False)
    x = torch.randn(2, 6, 12, requires_grad=True)

    h = layer.base_layer(x)
    changes = torch.stack([pair.scale * x @ pair.down_RI.t() @ pair.up_OR.t() for pair in found], -2)
    scores = torch.einsum("btw,btnw->btn", h @ layer.query.t(), changes @ layer.key.t())
    values = changes @ layer.value.t() if value else changes
    expected = h + (scores.softmax(-1)[..., None] * values).sum(-2)

    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)
    moving = [weight for weight in layer.parameters() if weight.requires_grad]
    assert len(moving) == 2 + value
    upstream = torch.randn_like(expected)
    ours = torch.autograd.grad(layer(x), [x, *moving], upstream)
    theirs = torch.autograd.grad(expected, [x, *moving], upstream)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)


def test_shares_add_up_to_one_and_start_about_even() -> None:
    torch.manual_seed(0)
    layer = FusedLinear(nn.Linear(12, 20), pairs(), 16, False)
    x = torch.randn(6, 12)
    shares = layer.attention(layer.base_layer(x), x @ layer.downs.t(), layer.ups)
    torch.testing.assert_close(shares.sum(-1), torch.ones(6))
    assert (shares - 1 / 3).abs().max() < 0.2


def train(adapters, tmp_path, dataset, model, environment, **fields):
    section = TuneSection.model_validate(
        {"method": {"fusion": {"adapters": adapters, **fields}}, "learning_rate": 3e-2, "steps": 12, "batch": 4}
    )
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    return tune(section, dataset, model, environment, entry)


def test_only_queries_and_keys_are_learnt_and_the_loss_falls(
    adapters, tmp_path, dataset, tiny_model, environment
) -> None:
    tuned = train(adapters, tmp_path, dataset, tiny_model, environment, width=8)
    network = tiny_model.network(torch.float32)
    outputs = [part.out_features for name, part in network.named_modules() if "_proj" in name]
    assert tuned.trainable_parameters == sum(2 * 8 * width for width in outputs)
    assert min(tuned.validation_losses.values()) < tuned.validation_losses[0]


def test_the_saved_folder_stands_alone(adapters, tmp_path, dataset, tiny_model, environment) -> None:
    tuned = train(adapters, tmp_path, dataset, tiny_model, environment)
    with torch.no_grad():
        before = tuned.network(tiny_model, torch.float32)(IDS).logits
        for folder in adapters:
            shutil.rmtree(folder)
        torch.testing.assert_close(tuned.network(tiny_model, torch.float32)(IDS).logits, before)


def test_changed_adapters_change_the_identity(adapters, tiny_model, tmp_path) -> None:
    section = TuneSection.model_validate({"method": {"fusion": {"adapters": adapters}}})
    before = section.outside()
    assert len(before) == 2
    shutil.rmtree(adapters[0])
    made.adapter(tiny_model, tmp_path / "a", 7)
    assert section.outside() != before
    assert TuneSection().outside() == {}


def test_fewer_than_two_adapters_are_refused(adapters, tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    with pytest.raises(RecipeError, match="two adapters or more, and 0 are named") as caught:
        Fusion().attach(network)
    assert "tune.method.fusion.adapters" in str(caught.value)
    with pytest.raises(ModelError, match="holds no adapter"):
        Fusion(adapters=[adapters[0], "nowhere"]).attach(network)


def test_adapters_of_another_base_are_refused(adapters, tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    network.model.layers = network.model.layers[:1]
    with pytest.raises(ModelError, match=r"does not fit LlamaForCausalLM: model\.layers\.1"):
        Fusion(adapters=adapters).attach(network)


def test_other_settings_than_the_files_are_refused(adapters, tmp_path, dataset, tiny_model, environment) -> None:
    tuned = train(adapters, tmp_path, dataset, tiny_model, environment)
    assert json.loads((tuned.weights / "fusion.json").read_text())["from"] == adapters
    with pytest.raises(ModelError, match="does not fit the layers"):
        Fusion(adapters=adapters, width=4).load(tiny_model.network(torch.float32), tuned.weights)
