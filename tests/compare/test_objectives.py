"""Variants with different objectives: their losses are never compared, the metric that judges is of all of them."""

from __future__ import annotations

from html import unescape

import pytest

from sevenfold.compare import parts, told
from sevenfold.compare.section import CompareSection
from sevenfold.compare.variants import judge_of, variants
from sevenfold.errors import RecipeError

RECIPE = "name: small\nprepare: {source: {jsonl: rows.jsonl}}\ntune: {epochs: 1}\n"


@pytest.fixture
def read(tmp_path):
    def read_text(objectives: str, more: str = "", recipe: str = "") -> CompareSection:
        (tmp_path / "small.yaml").write_text(RECIPE + recipe)
        text = f"name: ways\nrecipe: small.yaml\nvary: {{tune.objective: {objectives}}}\n{more}"
        (tmp_path / "ways.yaml").write_text(text)
        return CompareSection.from_file(tmp_path / "ways.yaml")

    return read_text


def judge(section: CompareSection) -> str:
    return judge_of(section, variants(section))


def test_of_one_objective_the_first_metric_judges(read) -> None:
    both = "[{dpo: {beta: 0.1}}, {dpo: {beta: 0.5}}]"
    assert judge(read(both, recipe="evaluate: {metrics: [loss, chrf]}\n")) == "loss"


def test_of_different_ones_it_is_the_first_of_answers(read) -> None:
    """Supervised tuning lowers the likelihood's loss and nothing else, so that would be no fair judge."""
    assert judge(read("[sft, dpo]")) == "chrf"
    assert judge(read("[sft, dpo]", "judge: loss\n")) == "loss"
    assert judge(read("[sft, dpo]", recipe="evaluate: {metrics: [perplexity]}\n")) == "perplexity"


def test_a_metric_of_all_is_needed(read) -> None:
    with pytest.raises(RecipeError, match="no metric is measured for all variants"):
        variants(read("[sft, classify]"))
    assert judge(read("[sft, classify]", recipe="evaluate: {metrics: [exact_match]}\n")) == "exact_match"


def test_a_search_cannot_choose_what_the_loss_is(read) -> None:
    over = "search: {over: {tune.objective: [sft, dpo]}}\n"
    text = read("[sft]").path
    text.write_text(f"name: ways\nrecipe: small.yaml\nvary: {{tune.method: [lora]}}\n{over}")
    with pytest.raises(RecipeError, match=r"tune\.objective changes what the loss is") as error:
        variants(CompareSection.from_file(text))
    assert "ways.yaml:4" in str(error.value)


def done(name: str, objective: dict, loss: float, watched: dict, before: dict) -> dict:
    gain = {"base": 30.0, "tuned": 40.0, "difference": 10.0, "interval": [8.0, 12.0], "confidence": 0.95}
    return {
        "name": name,
        "state": "done",
        "rows": 8,
        "available": 8,
        "split": "test",
        "objective": objective,
        "validation_loss": loss,
        "watched": watched,
        "base_watched": before,
        "metrics": {"chrf": {**gain, "better": "yes", "direction": "higher"}},
        "forgetting": None,
        "curve": {"verdict": "healthy", "reason": "it fell"},
    }


def made(*variants: dict, same: bool) -> dict:
    base = {"name": "base", "validation_loss": 3.25, "metrics": {"chrf": 30.0}}
    return {"variants": list(variants), "bases": [base], "same_loss": same, "judge": "chrf", "cost": "time"}


SFT = done("sft", {"sft": {}}, 1.25, {}, {})
DPO = done("dpo", {"dpo": {}}, 0.5, {"accuracy": 0.875, "margin": 1.5}, {"accuracy": 0.5, "margin": 0.0})


def test_the_table_says_that_losses_are_each_ones_own() -> None:
    found = parts.quality(made(SFT, DPO, same=False), "comparison.json")
    assert found.columns[1] == "its own validation loss"
    assert "say nothing of one variant against another" in found.caption
    assert found.rows[0][1] == "–", "the base has no one loss"
    alone = parts.quality(made(SFT, SFT, same=True), "comparison.json")
    assert (alone.columns[1], alone.rows[0][1]) == ("validation loss ↓", "3.25")


def test_what_objectives_watch_stands_beside_their_losses() -> None:
    (found,) = parts.watched(made(SFT, DPO, same=False), "comparison.json")
    assert found.rows[1][:3] == ["dpo", "dpo", "0.5"]
    assert found.rows[1][3] == "accuracy 0.875 (from 0.5), margin 1.5 (from 0)"
    assert parts.watched(made(SFT, SFT, same=True), "comparison.json") == []


def test_curves_of_different_objectives_say_so() -> None:
    curves = {one["name"]: {"losses": [1.0, 0.9], "validation_losses": {"0": 1.0, "2": 0.8}} for one in (SFT, DPO)}
    part = parts.training(curves, made(SFT, DPO, same=False), "comparison.json")
    plot = part.blocks[0]
    assert "cannot be compared" in plot.caption
    assert "loss, each of its own objective" in unescape(str(plot.svg))
    plain = parts.training({"sft": curves["sft"]}, made(SFT, same=True), "comparison.json").blocks[0]
    assert "loss, nats per token" in str(plain.svg)


def test_told_knows_whether_losses_are_of_one_kind() -> None:
    assert told.same_loss([SFT, SFT])
    assert not told.same_loss([SFT, DPO])
    assert not told.same_loss([DPO, {**DPO, "objective": {"dpo": {"beta": 0.5}}}])
