"""The three verdicts, all from the figures: a tuning that helps, one that does nothing, one that harms."""

from pathlib import Path

import pytest

from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.recipe import Recipe
from sevenfold.record import Entry
from tests.evaluate.rows import TASK as ROWS
from tests.evaluate.rows import dataset_of

RECIPES = Path(__file__).parents[2] / "recipes" / "better-or-not"


@pytest.fixture
def judged(tmp_path, tiny_model, environment, tuned):
    """The report on the tiny model after its weights were changed."""

    def report(change):
        import torch

        network = tuned.network(tiny_model, torch.float32) if change == "helps" else tiny_model.network(torch.float32)
        draw = torch.Generator().manual_seed(0)
        amount = {"helps": 0.0, "nothing": 1e-9, "harms": 0.3}[change]
        with torch.no_grad():
            for weights in network.parameters():
                weights += amount * torch.randn(weights.shape, generator=draw)
        folder = tmp_path / "4-tune"
        network.save_pretrained(folder / "weights")
        (tmp_path / "5-evaluate").mkdir()
        dataset = dataset_of(tmp_path / "1-prepare", test=ROWS)
        section = EvaluateSection(metrics=["loss", "chrf"], max_new_tokens=8, resamples=1000)
        changed = tuned.model_copy().save(folder)
        return evaluate(section, dataset, tiny_model, environment, changed, Entry(tmp_path / "5-evaluate"))

    return report


def test_what_helps_is_called_better(judged):
    found = judged("helps")
    assert found.better == "yes"
    assert found.metrics["loss"].p_adjusted < 0.05
    assert found.summary.startswith("The tuned model is better than its base on 12 held-out rows (better: loss")
    # It learnt one phrase by all its weights, and that is said in the same breath.
    assert "but lost much of what it knew" in found.summary


def test_what_does_nothing_is_called_no_different(judged):
    found = judged("nothing")
    assert found.better == "unclear"
    assert all(one.same for one in found.metrics.values())
    assert found.forgetting.verdict == "kept"
    assert found.summary.startswith("The tuned model is no different from its base on 12 held-out rows")


def test_what_harms_is_called_worse_and_forgetting_is_shown(judged):
    found = judged("harms")
    assert found.metrics["loss"].better == "no"
    assert found.better == "no"
    assert (found.forgetting.verdict, found.forgetting.sure) == ("much lost", True)
    assert "worse: loss" in found.summary
    assert "and lost much of what it knew: +" in found.summary


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "better", "kept"), [("helps", "yes", "kept"), ("nothing", "unclear", "kept"), ("harms", "no", "much lost")]
)
def test_the_recipes_on_real_data(tmp_path, name, better, kept):
    """Functions of the standard library and the embedded model; minutes each."""
    from sevenfold.pipeline import run

    recipe = Recipe.from_file(RECIPES / f"{name}.yaml")
    record = run(recipe, "evaluate", tmp_path)
    report = record.stages["evaluate"].metrics
    assert report["better"] == better
    assert any(f"general text: {kept}" in note for note in record.stages["evaluate"].notes)
