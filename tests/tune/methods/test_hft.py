"""Half fine-tuning: which half moves when, and what is frozen."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from sevenfold.record import Entry
from sevenfold.tune.batches import Batches
from sevenfold.tune.engine import halves
from sevenfold.tune.methods import Moment
from sevenfold.tune.methods.hft import Hft
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, tune
from sevenfold.tune.tokens import encoded_split
from sevenfold.tune.trainer import Trainer
from tests.tune.engine.architectures import ARCHITECTURES

STRATEGIES = ["category", "layer", "model", "random"]


def llama(layers: int = 6) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=48, num_attention_heads=4, num_hidden_layers=layers,
        tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def section_of(fields, **more) -> TuneSection:
    return TuneSection.model_validate(
        {"method": {"hft": fields}, "learning_rate": 1e-2, "steps": 4, "batch": 4, **more}
    )


def train(fields, tmp_path, dataset, model, environment, **more):
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(section_of(fields, **more), dataset, model, environment, entry)


def test_a_block_has_attention_feed_forward_and_norms() -> None:
    found = [(part.category, part.names[0].split(".")[-2]) for part in halves.parts(llama()) if part.block == 2]
    assert found == [
        *(("attention", f"{kind}_proj") for kind in "qkvo"),
        *(("feed-forward", f"{kind}_proj") for kind in ("gate", "up", "down")),
        ("norms", "input_layernorm"),
        ("norms", "post_attention_layernorm"),
    ]


def test_an_encoders_blocks_and_its_decoders_move() -> None:
    network = ARCHITECTURES["T5"].build()
    found = halves.parts(network)
    assert {part.block for part in found} == {0, 1, 2, 3}
    assert {name.split(".")[0] for part in found for name in part.names} == {"encoder", "decoder"}
    categories = [part.category for part in found if part.block == 3]
    assert [categories.count(category) for category in ("attention", "feed-forward", "norms")] == [8, 2, 3]


def test_half_of_each_category_moves_and_the_next_round_moves_the_other_half() -> None:
    found = halves.parts(llama())
    one, two = (halves.moving(found, "category", 0.5, number, 17) for number in (0, 1))
    everything = {name for part in found for name in part.names}
    assert one | two == everything
    assert not one & two
    for block in range(6):
        for category, counts in (("attention", {2}), ("feed-forward", {1, 2}), ("norms", {1})):
            names = {name for part in found if (part.block, part.category) == (block, category) for name in part.names}
            assert len(one & names) in counts
    feed_forward = {name for part in found if part.category == "feed-forward" for name in part.names}
    assert len(one & feed_forward) == len(feed_forward) // 2


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_every_strategy_keeps_the_share(strategy, share) -> None:
    found = halves.parts(llama(8))
    for number in range(5):
        moving = halves.moving(found, strategy, share, number, 17)
        assert len(moving) == pytest.approx(share * len(found), abs=0.05 * len(found) + 1)
        assert moving == halves.moving(found, strategy, share, number, 17)
    if share < 1:
        assert halves.moving(found, strategy, share, 0, 17) != halves.moving(found, strategy, share, 0, 18)
        assert halves.moving(found, strategy, share, 0, 17) != halves.moving(found, strategy, share, 1, 17)


@pytest.mark.parametrize("strategy", ["category", "layer", "model"])
def test_in_turn_all_move_equally_often(strategy) -> None:
    found = halves.parts(llama(8))
    counts = dict.fromkeys((name for part in found for name in part.names), 0)
    for number in range(8):
        for name in halves.moving(found, strategy, 0.25, number, 17):
            counts[name] += 1
    assert set(counts.values()) == {2}


def test_layers_move_as_a_whole() -> None:
    moving = halves.moving(halves.parts(llama()), "layer", 0.5, 0, 17)
    assert len({name.split(".")[2] for name in moving}) == 3
    assert len(moving) == 3 * 9


@pytest.mark.parametrize("engine", [{}, {"step_in_backward": True}])
def test_the_frozen_half_keeps_its_bits_its_state_and_has_no_gradient(
    engine, dataset, tiny_model, environment, tmp_path
) -> None:
    section = section_of({"round": 2}, engine=engine, clip=None, tokens_per_pass=4096)
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    rows = encoded_split("train", section, dataset, tiny_model, entry)
    forward = build(section, tiny_model, environment)
    trainer = Trainer(forward, section, rows, rows, environment.seed, entry)
    method, network = section.method, forward.network
    seen = []
    for number in range(2):
        before = {name: weight.detach().clone() for name, weight in trainer.weights.items()}
        states = {name: trainer.mover.optimizer.state.get(weight) for name, weight in trainer.weights.items()}
        kept = {name: {key: value.clone() for key, value in state.items()} for name, state in states.items() if state}
        for _ in range(2):
            method.begin(network, trainer.moment)
            frozen = {name for name, weight in trainer.weights.items() if not weight.requires_grad}
            trainer.step(Batches(len(rows), 4, 17).at(trainer.progress.step))
        assert frozen
        for name, weight in trainer.weights.items():
            assert torch.equal(weight, before[name]) == (name in frozen), (number, name)
            if name in frozen and name in kept:
                state = trainer.mover.optimizer.state[weight]
                assert all(torch.equal(state[key], value) for key, value in kept[name].items())
        seen.append(frozen)
    assert not seen[0] & seen[1]
    steps = {int(state["step"]) for state in trainer.mover.optimizer.state.values()}
    assert steps == {2}


def test_one_round_leaves_the_rest_at_the_base_and_a_second_training_takes_the_other_half(
    tmp_path, dataset, tiny_model, environment
) -> None:
    base = tiny_model.network(torch.float32)
    moved = []
    for first_round in (0, 1):
        tuned = train({"first_round": first_round}, tmp_path, dataset, tiny_model, environment, keep="last")
        network = tuned.network(tiny_model, torch.float32)
        theirs = dict(base.named_parameters())
        moved.append({name for name, weight in network.named_parameters() if not torch.equal(weight, theirs[name])})
        (tmp_path / "4-tune").rename(tmp_path / f"{first_round}")
    assert not moved[0] & moved[1]
    assert len(moved[0] | moved[1]) == 18


def test_one_round_needs_moments_for_half() -> None:
    network = llama()
    method, several = Hft(), Hft(round=2)
    method.attach(network)
    one, all_rounds = (way.needs(section_of({}), network, torch.float32) for way in (method, several))
    weights = sum(weight.numel() for weight in method.trainable(network).values())
    assert (one.optimizer_bytes, all_rounds.optimizer_bytes) == (4 * weights, 8 * weights)


def test_what_lies_outside_the_blocks_can_move_in_every_round() -> None:
    network = llama()
    method = Hft(embeddings=True, round=1)
    method.attach(network)
    for step in range(3):
        method.begin(network, Moment(step, 3, 17))
        weights = dict(network.named_parameters())
        assert weights["model.embed_tokens.weight"].requires_grad
        assert weights["model.norm.weight"].requires_grad
    assert Hft().candidates(network) == [name for name in method.candidates(network) if ".layers." in name]


def test_even_and_odd_are_the_two_halves(tiny_model) -> None:
    found = halves.parts(tiny_model.network(torch.float32))
    even, odd = halves.half(found, "even", 0), halves.half(found, "odd", 0)
    assert not even & odd
    assert len(even | odd) == 18
