"""The numbers that the plan is made from."""

from __future__ import annotations

import pytest

from sevenfold.errors import RecipeError
from sevenfold.record import Entry
from sevenfold.tune.batches import Batches
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import encoded_split
from sevenfold.tune.work import scores_kept, work_of


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


def test_short_documents_keep_their_attention_weights_on_a_cpu() -> None:
    import numpy as np

    lengths = np.array([100, 200, 300])
    assert scores_kept(lengths, "cpu") == pytest.approx((100**2 + 200**2) / 600)
    assert scores_kept(lengths, "cuda") == 0.0


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
