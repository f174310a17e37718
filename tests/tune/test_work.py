"""The numbers that the plan is made from."""

from __future__ import annotations

import pytest

from sevenfold.console import Console
from sevenfold.errors import RecipeError
from sevenfold.record import Entry
from sevenfold.tune import references
from sevenfold.tune.batches import Batches
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.rehearsal import rehearse
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import encoded_split
from sevenfold.tune.work import work_of
from tests.tune.objectives import judged


@pytest.fixture
def rows(dataset, tiny_model, tmp_path):
    return encoded_split("train", TuneSection(), dataset, tiny_model, Entry(tmp_path))


@pytest.mark.parametrize("epochs", [1, 3])
def test_the_largest_pass_and_all_tokens_are_those_of_the_training(epochs, rows, tiny_model, environment) -> None:
    section = TuneSection.model_validate({"epochs": epochs, "batch": 6, "tokens_per_pass": 200})
    work = work_of(section, rows, tiny_model, environment)
    batches = Batches(len(rows), section.batch, environment.seed)
    steps = range(section.total_steps(len(rows)))
    walked = [part for step in steps for part in passes(rows.sequences(batches.at(step)), section.tokens_per_pass)]
    assert work.total_tokens == sum(part.tokens for part in walked)
    assert work.total_supervised == sum(len(part.labels_N) for part in walked)
    assert work.longest_row == max(len(sequence) for sequence in rows.sequences(range(len(rows))))
    if epochs == 1:
        assert work.tokens_per_pass == max(part.tokens for part in walked)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_parameters_are_counted_without_weights(method, rows, tiny_model, environment) -> None:
    import torch

    section = TuneSection.model_validate({"method": method})
    work = work_of(section, rows, tiny_model, environment)
    network = tiny_model.network(torch.float32)
    section.method.attach(network)
    assert work.trainable_parameters == sum(w.numel() for w in section.method.trainable(network).values())
    assert work.trainable_parameters + work.frozen_parameters == sum(w.numel() for w in network.parameters())


@pytest.mark.parametrize(("choice", "recomputed"), [("auto", None), ("keep", 0), ("recompute", 2)])
def test_blocks_that_are_computed_again(choice, recomputed, rows, tiny_model, environment) -> None:
    section = TuneSection.model_validate({"engine": {"activations": choice}})
    work = work_of(section, rows, tiny_model, environment)
    assert (work.recomputable, work.recomputed, work.offloaded) == (2, recomputed, False)


def test_blocks_below_the_lowest_adapter_keep_nothing(rows, tiny_model, environment) -> None:
    section = TuneSection.model_validate({"method": {"lora": {"targets": ["1.mlp.up_proj"]}}})
    work = work_of(section, rows, tiny_model, environment)
    assert (work.backward_blocks, work.recomputable) == (1, 1)


def test_gradients_that_never_exist_together(rows, tiny_model, environment) -> None:
    section = TuneSection.model_validate({"method": "full", "clip": None, "engine": {"step_in_backward": True}})
    work = work_of(section, rows, tiny_model, environment)
    assert work.gradient_parameters == 400 * 64, "the embeddings"


def test_offloading_is_refused_on_a_cpu(rows, tiny_model, environment) -> None:
    section = TuneSection.model_validate({"engine": {"activations": "offload"}})
    with pytest.raises(RecipeError, match=r"offload moves activations from a GPU's memory"):
        work_of(section, rows, tiny_model, environment)


@pytest.fixture
def pairs(tiny_model, tmp_path):
    """A section with an objective of pairs, and its rows."""

    def made(**fields):
        section = TuneSection.model_validate({"batch": 6, "tokens_per_pass": 200, **fields})
        return section, encoded_split("train", section, data, tiny_model, Entry(tmp_path))

    data = judged.pairs(tmp_path / "pairs")
    return made


@pytest.mark.parametrize("epochs", [1, 3])
def test_pairs_are_counted_with_their_branches(epochs, pairs, tiny_model, environment) -> None:
    section, rows = pairs(objective="dpo", epochs=epochs)
    work = work_of(section, rows, tiny_model, environment)
    batches = Batches(len(rows), section.batch, environment.seed)
    steps = range(section.total_steps(len(rows)))
    walked = [part for step in steps for part in passes(rows.sequences(batches.at(step)), section.tokens_per_pass)]
    assert work.total_tokens == sum(part.tokens for part in walked)
    assert work.total_supervised == sum(len(part.labels_N) for part in walked)
    # What the model says before it learns is asked once for every row, however many epochs there are.
    assert work.tokens_before == sum(len(sequence) for sequence in rows.sequences(range(len(rows))))
    copied = [end - start + high - low for part in walked for start, end, low, high in part.spans if high > low]
    assert work.keys_copied == pytest.approx(sum(copied) / work.total_tokens)


def test_only_visited_rows_are_asked_before(pairs, tiny_model, environment) -> None:
    section, rows = pairs(objective="dpo", steps=2)
    work = work_of(section, rows, tiny_model, environment)
    visited = references.visited(section, rows, environment.seed)
    assert work.tokens_before == sum(len(sequence) for sequence in rows.sequences(visited)) == work.total_tokens
    section, rows = pairs(objective={"dpo": {"reference_free": True}}, steps=2)
    assert work_of(section, rows, tiny_model, environment).tokens_before == 0


def test_what_an_objective_trains_beside_the_network_is_counted(pairs, tiny_model, environment) -> None:
    alone, rows = pairs(objective="dpo")
    beside, _ = pairs(objective="reward")
    plain, more = (work_of(section, rows, tiny_model, environment) for section in (alone, beside))
    head = sum(weight.numel() for weight in beside.objective.own(tiny_model.skeleton(), tiny_model).parameters())
    assert more.trainable_parameters - plain.trainable_parameters == head > 0
    state = plain.optimizer_bytes * plain.trainable_parameters
    assert more.optimizer_bytes * more.trainable_parameters - state == pytest.approx(8 * head)


def test_what_is_joint_goes_through_twice_where_a_step_has_several_passes(
    pairs, tiny_model, environment, monkeypatch
) -> None:
    section, rows = pairs(objective="orpo", tokens_per_pass=60)
    monkeypatch.setattr(type(section.objective), "joint", True)
    assert work_of(section, rows, tiny_model, environment).forwards == 1.0
    section, rows = pairs(objective="orpo", tokens_per_pass=100_000)
    assert work_of(section, rows, tiny_model, environment).forwards == 0.0


def test_a_rehearsal_of_pairs_is_near_the_training(pairs, tiny_model, environment, tmp_path) -> None:
    """Its steps are those of the training: the same losses need the same references."""
    section, rows = pairs(objective="dpo", steps=8)
    environment.start()
    plan = environment.plan(work_of(section, rows, tiny_model, environment))
    taken = rehearse(section, rows, tiny_model, environment, plan, Console(quiet=True))
    work = work_of(section, rows, tiny_model, environment)
    assert taken.before > 0
    learnt = taken.seconds / taken.tokens * work.total_tokens
    assert learnt < taken.seconds_for(work) < 3 * learnt, "a pass forward costs less than a step"
