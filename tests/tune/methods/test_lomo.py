"""LOMO through the stage: what it holds, what it refuses, that bfloat16 weights learn."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, encoded_split, tune
from sevenfold.tune.work import work_of

SMALL = {"learning_rate": 0.1, "steps": 20, "batch": 4}


def trained(made: TuneSection, dataset, tiny_model, environment, folder):
    entry = Entry(folder)
    entry.folder.mkdir()
    return tune(made, dataset, tiny_model, environment, entry)


def section(clip=None, more=None, **fields) -> TuneSection:
    return TuneSection.model_validate({"method": {"lomo": fields}, "clip": clip, **SMALL, **(more or {})})


@pytest.fixture
def bfloat16(environment):
    return environment.model_copy(update={"precision": "bfloat16"})


@pytest.mark.parametrize(("fields", "size"), [({}, 2), ({"float32": True}, 4)])
def test_the_type_of_the_weights(fields, size, tiny_model, bfloat16) -> None:
    forward = build(section(**fields), tiny_model, bfloat16)
    assert {weight.element_size() for weight in forward.network.parameters()} == {size}


def test_weights_in_bfloat16_learn_as_those_in_float32(dataset, tiny_model, bfloat16, tmp_path) -> None:
    lean = trained(section(clip=1.0), dataset, tiny_model, bfloat16, tmp_path / "lean")
    exact = trained(section(clip=1.0, float32=True), dataset, tiny_model, bfloat16, tmp_path / "exact")
    gains = [run.validation_losses[0] - run.validation_losses[20] for run in (lean, exact)]
    assert gains[0] == pytest.approx(gains[1], rel=0.1)
    assert gains[1] > 0.3


def test_adalomo_learns(dataset, tiny_model, environment, tmp_path) -> None:
    tuned = trained(
        section(adaptive=True, more={"learning_rate": 1e-2}), dataset, tiny_model, environment, tmp_path / "a"
    )
    assert tuned.validation_losses[20] < tuned.validation_losses[0] - 0.3


@pytest.mark.parametrize("fields", [{}, {"adaptive": True}])
def test_a_stopped_run_in_bfloat16_resumes_to_the_same_bits(fields, dataset, tiny_model, bfloat16, tmp_path) -> None:
    proof = proofs.run("resume", Case(section(**fields), dataset, tiny_model, bfloat16, tmp_path))
    assert proof.figure == 0.0


@pytest.mark.parametrize(
    ("fields", "clip", "state", "rounds"), [({}, None, 0, 1), ({}, 1.0, 0, 2), ({"adaptive": True}, None, 1, 1)]
)
def test_the_plan_counts_what_is_held(fields, clip, state, rounds, dataset, tiny_model, bfloat16, tmp_path) -> None:
    made = section(clip, **fields)
    rows = encoded_split("train", made, dataset, tiny_model, Entry(tmp_path))
    work = work_of(made, rows, tiny_model, bfloat16)
    assert (work.trainable_bytes, work.gradient_bytes, work.rounds) == (2, 2, rounds)
    assert work.gradient_parameters == 400 * 64, "the embeddings"
    forward = build(made, tiny_model, bfloat16)
    weights = made.method.trainable(forward.network)
    sums = sum(sum(weight.shape) if weight.ndim == 2 else weight.numel() for weight in weights.values())
    assert work.optimizer_bytes * work.trainable_parameters == pytest.approx(4 * sums * state)
    mover = made.method.mover(forward, made, weights)
    mover.set_rate(1e-3)
    from sevenfold.tune.engine.passes import passes

    mover.step(passes(rows.sequences(range(4)), 10_000), lambda loss, norm: None)
    held = [value for kept in mover.optimizer.state.values() for value in kept.values() if value.ndim]
    assert sum(value.nbytes for value in held) == 4 * sums * state


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"method": {"lomo": {"clip_value": 1.0}}}, r"tune\.clip = 1\.0 and lomo's clip_value both limit the steps"),
        ({"method": {"lomo": {"adaptive": True}}}, r"tune\.clip = 1\.0 and lomo's adaptive"),
        ({"method": "lomo", "optimizer": {"adamw": {"beta1": 0.5}}}, r"tune\.optimizer \(adamw\) would not be used"),
    ],
)
def test_what_contradicts_is_refused(recipe, message) -> None:
    with pytest.raises(ValueError, match=message):
        TuneSection.model_validate(recipe)


def test_several_passes_are_refused_with_what_would_do(dataset, tiny_model, environment, tmp_path) -> None:
    with pytest.raises(RecipeError, match=r"tune\.method needs every step to be one pass[\s\S]*tune\.tokens_per_pass:"):
        trained(section(more={"tokens_per_pass": 100}), dataset, tiny_model, environment, tmp_path / "refused")


def test_the_gradient_is_not_kept_behind_a_run(dataset, tiny_model, environment, tmp_path) -> None:
    made = section(clip=1.0)
    tuned = trained(made, dataset, tiny_model, environment, tmp_path / "run")
    assert all(step["gradient_norm"] > 0 for step in tuned.history())
    network = tuned.network(tiny_model, torch.float32)
    assert all(weight.requires_grad and weight.grad is None for weight in network.parameters())
