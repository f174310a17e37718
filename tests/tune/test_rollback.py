"""Rolling back: what is the base's again, bit for bit, and what is not."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import ModelError, RecipeError
from sevenfold.record import Entry
from sevenfold.tune.rollback import roll_back
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune


@pytest.fixture
def train(tmp_path, dataset, tiny_model, environment):
    """Trains the tiny model by a method."""

    def by(method):
        entry = Entry(tmp_path / "4-tune")
        entry.folder.mkdir()
        fields = {"method": method, "learning_rate": 1e-2, "steps": 4, "batch": 4, "keep": "last"}
        return tune(TuneSection.model_validate(fields), dataset, tiny_model, environment, entry)

    return by


@pytest.fixture
def tuned(train):
    return train({"hft": {"round": 1}})


@pytest.mark.parametrize("which", ["even", "odd", 0.5, ["*.mlp.*", "model.layers.0.self_attn.q_proj.weight"]])
def test_a_part_is_the_bases_and_the_rest_is_not(which, tuned, tiny_model) -> None:
    network, done = roll_back(tuned, tiny_model, which)
    base = dict(tiny_model.network(torch.float32).named_parameters())
    ours = dict(tuned.network(tiny_model, torch.float32).named_parameters())
    assert 0 < len(done.names) < 18
    assert done.weights == sum(base[name].numel() for name in done.names)
    assert 0 < done.changed <= done.weights < done.of == sum(weight.numel() for weight in base.values())
    for name, weight in network.named_parameters():
        assert torch.equal(weight, base[name] if name in done.names else ours[name]), name
    if isinstance(which, list):
        assert len(done.names) == 7


def test_a_share_is_drawn_with_the_seed(tuned, tiny_model) -> None:
    drawn = [roll_back(tuned, tiny_model, 0.5, seed)[1].names for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_an_adapter_is_rolled_back_where_it_is_merged(train, tiny_model) -> None:
    tuned = train({"lora": {"rank": 4}})
    network, done = roll_back(tuned, tiny_model, ["model.layers.1.*"])
    base = dict(tiny_model.network(torch.float32).named_parameters())
    changed = {name for name, weight in network.named_parameters() if not torch.equal(weight, base[name])}
    assert changed == {name for name in base if name.startswith("model.layers.0.") and "_proj" in name}
    assert done.changed > 0


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("evn", "did you mean: even"),
        (1.5, "a share over 0 to 1"),
        (["*.mlpp.*"], r"no parameter is named '\*.mlpp.\*'(.|\n)*did you mean: \*\.mlp\.\*"),
    ],
)
def test_what_is_no_part_is_refused(which, message, tuned, tiny_model) -> None:
    with pytest.raises(RecipeError, match=message):
        roll_back(tuned, tiny_model, which)


def test_a_method_without_plain_weights_is_refused(train, tiny_model) -> None:
    with pytest.raises(ModelError, match="'prefix' learns cannot be written as plain weights"):
        roll_back(train({"prefix": {"tokens": 2}}), tiny_model, "even")
