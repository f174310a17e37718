"""Masks: what is chosen moves, and every other entry keeps its bits."""

from __future__ import annotations

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from sevenfold.errors import ModelError, RecipeError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.schema import build
from sevenfold.tune.engine import sparse, units
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.probe import trial
from sevenfold.tune.methods import Moment
from sevenfold.tune.methods.mask import Mask
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune

WAYS = [
    {"what": what, "by": by, "share": share}
    for what, share in (("heads", 0.5), ("neurons", 0.25), ("entries", 0.1), ("layers", 0.5))
    for by in ("random", "magnitude", "importance")
    if (what, by) != ("layers", "importance")
]
# Of the tiny model: 2 blocks of hidden size 64, 4 heads of 16 in 2 groups, 128 neurons.
COUNTS = {
    "heads": 2 * (2 * 32 * 64 + 2 * 16 * 64),
    "neurons": 2 * 3 * 32 * 64,
    "entries": 2 * (2 * round(0.1 * 64 * 64) + 2 * round(0.1 * 32 * 64) + 3 * round(0.1 * 128 * 64)),
    "layers": 2 * 64 * 64 + 2 * 32 * 64 + 3 * 128 * 64,
}


def section_of(fields, **more) -> TuneSection:
    return TuneSection.model_validate(
        {"method": {"mask": fields}, "learning_rate": 1e-2, "steps": 4, "batch": 4, **more}
    )


def train(fields, tmp_path, dataset, model, environment, **more):
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(section_of(fields, **more), dataset, model, environment, entry)


def allowed(layer) -> torch.Tensor:
    """The mask, ``O x I``."""
    moves = torch.zeros(layer.outputs, layer.inputs, dtype=torch.bool)
    places = layer.places.long()
    if layer.axis == "entries":
        moves.view(-1)[places] = True
        return moves
    return moves.index_fill(0 if layer.axis == "rows" else 1, places, True)


@pytest.mark.parametrize("fields", WAYS, ids=lambda fields: f"{fields['what']}-{fields['by']}")
def test_what_is_not_chosen_keeps_its_bits(fields, tmp_path, dataset, tiny_model, environment) -> None:
    decayed = {"adamw": {"weight_decay": 0.1}}
    tuned = train(fields, tmp_path, dataset, tiny_model, environment, keep="last", optimizer=decayed)
    base, merged = tiny_model.network(torch.float32), tuned.merged(tiny_model, torch.float32)
    masks = {name: allowed(layer) for name, layer in sparse.layers(tuned.network(tiny_model, torch.float32)).items()}
    assert tuned.trainable_parameters == COUNTS[fields["what"]] == sum(int(mask.sum()) for mask in masks.values())
    changed = 0
    for (name, before), after in zip(base.named_parameters(), merged.parameters(), strict=True):
        mask = masks.get(name.removesuffix(".weight"), torch.zeros_like(before, dtype=torch.bool))
        assert torch.equal(before[~mask], after[~mask]), name
        changed += int((before != after).sum())
    assert changed > 0.9 * tuned.trainable_parameters


@pytest.mark.parametrize("fields", WAYS, ids=lambda fields: f"{fields['what']}-{fields['by']}")
def test_a_resume_is_exact_and_bfloat16_learns(fields, tmp_path, dataset, tiny_model, environment) -> None:
    case = Case(section_of(fields), dataset, tiny_model, environment, tmp_path)
    assert proofs.run("resume", case).figure == 0
    environment = environment.model_copy(update={"precision": "bfloat16"})
    tuned = train(fields, tmp_path, dataset, tiny_model, environment, steps=8)
    assert tuned.validation_losses[8] < tuned.validation_losses[0]


def looked(network, method) -> dict[str, torch.Tensor]:
    """One first step on a pass; gives ``|w dL/dw|`` by layer, by the plain means."""
    plain = type(network)(network.config)
    plain.load_state_dict(network.state_dict())
    method.attach(network)
    forward, moment = Forward(network, torch.float32), Moment(0, 4, 17)
    method.begin(network, moment)
    forward(trial(network)).sum().backward()
    assert all(not weight.grad.any() for weight in method.trainable(network).values())
    method.moved(network, moment)
    assert all(layer.watch is None for layer in sparse.layers(network).values())
    Forward(plain, torch.float32)(trial(plain)).sum().backward()
    return {
        name: (part.weight * part.weight.grad).abs()
        for name, part in plain.named_modules()
        if name in sparse.layers(network)
    }


def test_the_most_important_entries_are_chosen(tiny_model) -> None:
    network, method = tiny_model.network(torch.float32), Mask(what="entries", share=0.1)
    for name, scores in looked(network, method).items():
        layer = sparse.layers(network)[name]
        assert set(layer.places.tolist()) == set(scores.flatten().topk(len(layer.places)).indices.tolist())


def test_the_most_important_neurons_are_chosen_over_all_their_weights(tiny_model) -> None:
    network, method = tiny_model.network(torch.float32), Mask(what="neurons", share=0.25)
    scores = looked(network, method)
    for block in range(2):
        parts = {kind: f"model.layers.{block}.mlp.{kind}_proj" for kind in ("gate", "up", "down")}
        sums = scores[parts["gate"]].sum(1) + scores[parts["up"]].sum(1) + scores[parts["down"]].sum(0)
        expected = set(sums.topk(32).indices.tolist())
        for part in parts.values():
            assert set(sparse.layers(network)[part].places.tolist()) == expected


def test_heads_that_share_keys_are_one_unit(tiny_model) -> None:
    network, method = tiny_model.network(torch.float32), Mask(what="heads", share=0.5, by="magnitude")
    weights = {name: part.weight.abs() for name, part in network.named_modules() if name.endswith("_proj")}
    method.attach(network)
    for block in range(2):
        q, k, v, o = (f"model.layers.{block}.self_attn.{kind}_proj" for kind in "qkvo")
        sums = [
            weights[q][32 * unit : 32 * unit + 32].sum() + weights[o][:, 32 * unit : 32 * unit + 32].sum()
            + weights[k][16 * unit : 16 * unit + 16].sum() + weights[v][16 * unit : 16 * unit + 16].sum()
            for unit in range(2)
        ]  # fmt: skip
        unit = int(torch.stack(sums).argmax())
        layers = sparse.layers(network)
        assert layers[q].places.tolist() == layers[o].places.tolist() == list(range(32 * unit, 32 * unit + 32))
        assert layers[k].places.tolist() == layers[v].places.tolist() == list(range(16 * unit, 16 * unit + 16))
        assert (layers[q].axis, layers[o].axis) == ("rows", "columns")


def test_the_largest_block_is_chosen(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    with torch.no_grad():
        for weight in network.model.layers[1].parameters():
            weight.mul_(2)
    Mask(what="layers", share=0.5, by="magnitude").attach(network)
    assert {name.split(".")[2] for name in sparse.layers(network)} == {"1"}


def test_fused_projections_have_their_units_behind_one_another() -> None:
    piece = units.Piece("gate_up_proj", "rows", 1, copies=2)
    assert piece.places(torch.tensor([3, 1]), 5).tolist() == [1, 3, 6, 8]
    scores = torch.arange(10.0)[:, None].expand(10, 3)
    assert piece.sums(scores, 5).tolist() == [15.0, 21.0, 27.0, 33.0, 39.0]


def test_gpt2s_transposed_neurons_are_found() -> None:
    torch.manual_seed(0)
    network = GPT2LMHeadModel(GPT2Config(n_layer=2, n_embd=32, n_head=2, vocab_size=80))
    method = Mask(what="neurons", share=0.5, by="random")
    method.attach(network)
    layers = sparse.layers(network)
    assert {name.rsplit(".", 1)[-1]: layer.axis for name, layer in layers.items()} == {
        "c_fc": "rows",
        "c_proj": "columns",
    }
    assert len(layers["transformer.h.0.mlp.c_fc"].places) == 64


def test_heads_in_a_fused_projection_are_refused_with_the_way_out() -> None:
    network = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=50))
    with pytest.raises(ModelError, match=r"no layers q_proj, k_proj(.|\n)*what: entries"):
        Mask(what="heads").attach(network)


def test_blocks_cannot_be_chosen_by_data() -> None:
    with pytest.raises(RecipeError, match=r"settled before the first pass(.|\n)*by: magnitude"):
        build(Mask, {"what": "layers"}, "mask")
