"""DyLoRA: one training gives an adapter for every rank, better at low ranks than a LoRA that is cut there."""

from __future__ import annotations

import json

import pytest
import torch

from sevenfold.errors import ModelError, RecipeError
from sevenfold.schema import build
from sevenfold.tune.methods import Moment
from sevenfold.tune.methods.dylora import Dylora
from sevenfold.tune.methods.lora import adapters
from tests.tune.methods.test_contract import train

IDS = torch.tensor([[1, 5, 9, 2, 30]])
RANK = 8


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def filled(method, network):
    method.attach(network)
    torch.manual_seed(1)
    for layer in adapters(network).values():
        torch.nn.init.normal_(layer.lora_B.weight, std=0.1)
    return network


def gradients(method, network) -> dict[str, torch.Tensor]:
    torch.nn.functional.cross_entropy(network(IDS).logits[0, :-1], IDS[0, 1:]).backward()
    return {name: weight.grad for name, weight in method.trainable(network).items()}


def test_ranks_are_drawn_from_all_and_are_a_function_of_the_step() -> None:
    method = Dylora(rank=4, smallest=2)
    drawn = [method.drawn(Moment(step, 100, 17)) for step in range(200)]
    assert {rank: drawn.count(rank) > 40 for rank in set(drawn)} == {2: True, 3: True, 4: True}
    assert drawn == [method.drawn(Moment(step, 100, 17)) for step in range(200)]
    assert drawn != [method.drawn(Moment(step, 100, 18)) for step in range(200)]


@pytest.mark.parametrize("rank", [1, 3, RANK])
def test_a_step_is_that_of_a_lora_of_its_rank(rank, tiny_model) -> None:
    method, small = Dylora(rank=RANK, alpha=6), Dylora(rank=RANK, alpha=6)
    network, other = (filled(method, tiny_model.network(torch.float32)) for _ in range(2))
    small.cut(other, RANK)
    for name, layer in adapters(other).items():
        whole = adapters(network)[name]
        layer.lora_A.weight.data.copy_(whole.lora_A.weight)
        layer.shorten(rank)
    method.cut(network, rank)
    torch.testing.assert_close(logits(network), logits(other), rtol=1e-5, atol=1e-5)
    found, expected = gradients(method, network), gradients(small, other)
    for name, gradient in found.items():
        kept, cut = (gradient[:rank], gradient[rank:]) if "lora_A" in name else (gradient[:, :rank], gradient[:, rank:])
        torch.testing.assert_close(kept, expected[name], rtol=1e-5, atol=1e-6)
        assert not cut.any()


def test_the_last_row_alone_moves_where_it_is_asked_for(tiny_model) -> None:
    method = Dylora(rank=RANK, last_row_only=True)
    network = filled(method, tiny_model.network(torch.float32))
    whole = gradients(method, network)
    method.cut(network, 3)
    expected = logits(network)
    network.zero_grad()
    all_moving = gradients(method, network)
    network.zero_grad()
    method.cut(network, 3, last_only=True)
    torch.testing.assert_close(logits(network), expected)
    for name, gradient in gradients(method, network).items():
        places = gradient.any(1) if "lora_A" in name else gradient.any(0)
        assert places.nonzero().flatten().tolist() == [2]
        side = (2, slice(None)) if "lora_A" in name else (slice(None), 2)
        torch.testing.assert_close(gradient[side], all_moving[name][side], rtol=1e-5, atol=1e-6)
        assert not torch.equal(whole[name], gradient)


@pytest.mark.parametrize("stabilized", [False, True])
def test_cut_at_any_rank_it_loads_here_and_in_peft(stabilized, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    whole = Dylora(rank=RANK, alpha=6, rank_stabilized=stabilized)
    network = filled(whole, tiny_model.network(torch.float32))
    whole.save(network, tmp_path, "tiny")
    for rank in range(1, RANK + 1):
        whole.cut(network, rank)
        expected = logits(network)
        cut = whole.model_copy(update={"rank_used": rank})
        loaded = tiny_model.network(torch.float32)
        cut.load(loaded, tmp_path)
        torch.testing.assert_close(logits(loaded), expected, rtol=1e-5, atol=1e-5)
        assert {len(layer.lora_A.weight) for layer in adapters(loaded).values()} == {rank}
        place = tmp_path / str(rank)
        place.mkdir()
        cut.save(loaded, place, "tiny")
        assert json.loads((place / "adapter_config.json").read_text())["r"] == rank
        theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), place)
        torch.testing.assert_close(logits(theirs), expected, rtol=1e-5, atol=1e-5)
        cut.merge(loaded)
        torch.testing.assert_close(logits(loaded), expected, rtol=1e-4, atol=1e-5)


def test_what_is_saved_at_a_cut_rank_keeps_the_others_beside_it(tiny_model, tmp_path) -> None:
    method = Dylora(rank=RANK, rank_used=2)
    network = filled(method, tiny_model.network(torch.float32))
    expected = logits(network)
    method.save(network, tmp_path, "tiny")
    assert json.loads((tmp_path / "adapter_config.json").read_text())["r"] == 2
    cut, whole = tiny_model.network(torch.float32), tiny_model.network(torch.float32)
    method.load(cut, tmp_path)
    Dylora(rank=RANK).load(whole, tmp_path)
    torch.testing.assert_close(logits(whole), expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits(cut), expected, atol=1e-3)


def test_low_ranks_beat_a_lora_that_is_cut_there(tiny_model, dataset, environment, tmp_path) -> None:
    fields = {"rank": RANK, "alpha": 16}
    losses: dict[str, list[float]] = {}
    for name in ("dylora", "lora"):
        place = tmp_path / name
        place.mkdir()
        tuned = train(name, place, dataset, tiny_model, environment, method={name: fields}, steps=60, keep="last")
        losses[name] = [cut_loss(tuned, rank, tiny_model, dataset, environment, place) for rank in range(1, RANK + 1)]
    assert all(own < plain for own, plain in zip(losses["dylora"][:4], losses["lora"][:4], strict=True)), losses


def cut_loss(tuned, rank, model, dataset, environment, place) -> float:
    """The mean loss on the training rows with the first rows of an adapter alone; a LoRA's file is read as it is."""
    from sevenfold.record import Entry
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.section import TuneSection
    from sevenfold.tune.tokens import encoded_split
    from sevenfold.tune.trainer import Trainer

    network = model.network(torch.float32)
    method = Dylora(rank=RANK, alpha=16, rank_used=rank)
    method.load(network, tuned.weights)
    section = TuneSection.model_validate({"method": "lora"})
    entry = Entry(place)
    rows = encoded_split("train", section, dataset, model, entry)
    trainer = Trainer(Forward(network, torch.float32), section, rows, rows, 0, entry)
    return section.objective.validation(trainer.forward, [], rows.sequences(range(len(rows))), 1024)[0]


def test_it_moves_with_the_step_and_validates_with_all_ranks(tiny_model) -> None:
    method, network = Dylora(rank=RANK), tiny_model.network(torch.float32)
    filled(method, network)
    moment = Moment(3, 10, 17)
    method.begin(network, moment)
    (layer, *_) = adapters(network).values()
    assert int(layer.used.sum()) == method.drawn(moment)
    method.moved(network, moment)
    assert int(layer.used.sum()) == RANK


@pytest.mark.parametrize("field", ["smallest", "rank_used"])
def test_ranks_over_the_highest_are_refused(field) -> None:
    with pytest.raises(RecipeError, match=rf"{field} = 9 is over rank = 8[\s\S]*1 to 8"):
        build(Dylora, {"rank": 8, field: 9}, "dylora")


def test_a_start_in_the_weight_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"init: pissa[\s\S]*kaiming, gaussian"):
        Dylora(init="pissa")


def test_a_file_of_another_rank_is_refused(tiny_model, tmp_path) -> None:
    method = Dylora(rank=RANK)
    method.save(filled(method, tiny_model.network(torch.float32)), tmp_path, "tiny")
    with pytest.raises(ModelError, match="does not fit"):
        Dylora(rank=4).load(tiny_model.network(torch.float32), tmp_path)
