"""MeZO through the stage: what moves, what the plan counts, what is refused."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.record import Entry
from sevenfold.setup import plan
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, encoded_split, tune
from sevenfold.tune.work import work_of

SMALL = {"learning_rate": 1e-3, "steps": 4, "batch": 4}


def section(more=None, **fields) -> TuneSection:
    return TuneSection.model_validate({"method": {"mezo": fields}, **SMALL, **(more or {})})


def trained(made: TuneSection, dataset, tiny_model, environment, folder):
    entry = Entry(folder)
    entry.folder.mkdir()
    return tune(made, dataset, tiny_model, environment, entry)


def test_only_what_a_pattern_names_moves(dataset, tiny_model, environment, tmp_path) -> None:
    made = section(only=["*.[qv]_proj.weight", "model.norm.weight"])
    tuned = trained(made, dataset, tiny_model, environment, tmp_path / "run")
    base, found = tiny_model.network(torch.float32), tuned.network(tiny_model, torch.float32)
    moved = {name for name, weight in found.named_parameters() if not torch.equal(weight, base.get_parameter(name))}
    layers = {f"model.layers.{layer}.self_attn.{part}_proj.weight" for layer in range(2) for part in "qv"}
    assert moved == layers | {"model.norm.weight"} == set(made.method.trainable(found))


@pytest.mark.parametrize(("fields", "types"), [({}, {4}), ({"only": ["*.q_proj.weight"]}, {2, 4})])
def test_what_moves_is_float32(fields, types, tiny_model, environment) -> None:
    bfloat16 = environment.model_copy(update={"precision": "bfloat16"})
    made = section(**fields)
    forward = build(made, tiny_model, bfloat16)
    assert {weight.element_size() for weight in forward.network.parameters()} == types
    assert {weight.dtype for weight in made.method.trainable(forward.network).values()} == {torch.float32}


def test_the_history_has_the_slopes(dataset, tiny_model, environment, tmp_path) -> None:
    tuned = trained(section(), dataset, tiny_model, environment, tmp_path / "run")
    slopes = [step["gradient_norm"] for step in tuned.history()]
    assert len(set(slopes)) == 4
    assert all(slope > 0 for slope in slopes)


def test_the_plan_has_no_gradients_no_state_and_nothing_kept(dataset, tiny_model, environment, tmp_path) -> None:
    made = section(directions=2)
    rows = encoded_split("train", made, dataset, tiny_model, Entry(tmp_path))
    work = work_of(made, rows, tiny_model, environment)
    found = plan.memory(work)
    assert (found["gradients"], found["optimizer"]) == (0, 0)
    full = work_of(TuneSection.model_validate({**SMALL, "method": "full"}), rows, tiny_model, environment)
    assert found["activations"] < plan.memory(full)["activations"]
    assert found["weights"] == plan.memory(full)["weights"] == 4 * work.trainable_parameters
    per_token = 2 * work.shape.block_parameters + 2 * work.mean_length * work.shape.hidden * work.shape.layers
    head = 2 * work.shape.vocabulary * work.shape.hidden
    assert plan.flops(work) == pytest.approx(4 * (work.total_tokens * per_token + work.total_supervised * head))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"clip": None, "engine": {"step_in_backward": True}}, r"step_in_backward has no meaning with mezo"),
        ({"optimizer": {"adamw": {"beta1": 0.5}}}, r"tune\.optimizer \(adamw\) would not be used"),
    ],
)
def test_what_contradicts_is_refused(recipe, message) -> None:
    with pytest.raises(ValueError, match=message):
        section(recipe)


def test_a_pattern_that_matches_nothing_is_refused_with_the_nearest(tiny_model) -> None:
    made = section(only=["model.layers.*.mlp.up_proj.weigth"])
    with pytest.raises(RecipeError, match=r"weigth'[\s\S]*did you mean: model\.layers\.\*\.mlp\.up_proj\.weight"):
        made.method.attach(tiny_model.network(torch.float32))
