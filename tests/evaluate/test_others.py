"""Other models on the same rows: the base again, and a run's tuned model, whose verdicts are known."""

import shutil

import pytest
from pydantic import ValidationError

from sevenfold.errors import ModelError
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.record import Entry
from tests.evaluate.rows import TASK as ROWS
from tests.evaluate.rows import dataset_of, lines


@pytest.fixture
def entry(tmp_path):
    (tmp_path / "5-evaluate").mkdir()
    return Entry(tmp_path / "5-evaluate")


@pytest.fixture
def run(tmp_path, tiny_model, tuned):
    """The tuned model as another run has it."""
    folder = tmp_path / "runs" / "before"
    shutil.copytree(tiny_model.folder, folder / "2-load")
    shutil.copytree(tuned.folder, folder / "4-tune")
    return folder


def section(**more):
    return EvaluateSection(metrics=["loss", "chrf"], max_new_tokens=8, resamples=1000, general_text="none", **more)


def test_a_run_and_a_model_against_base_and_tuned(tmp_path, tiny_model, environment, tuned, entry, run):
    shutil.copytree(tiny_model.folder, entry.folder / "others" / "plain")
    dataset = dataset_of(tmp_path / "1-prepare", test=ROWS)
    others = {"before": str(run), "plain": "tiny"}
    report = evaluate(section(others=others), dataset, tiny_model, environment, tuned, entry)
    before, plain = report.others["before"], report.others["plain"]
    assert before.rows == plain.rows == 12
    for metric, ours in report.metrics.items():
        # The other run learnt the same, so it stands to the base as ours does, and to ours as its copy.
        assert before.against_base[metric].difference == pytest.approx(ours.difference)
        assert before.against_base[metric].better == ours.better == "yes"
        assert (before.against_tuned[metric].difference, before.against_tuned[metric].better) == (0, "unclear")
        assert (plain.against_base[metric].difference, plain.against_base[metric].better) == (0, "unclear")
        assert plain.against_tuned[metric].difference == pytest.approx(ours.difference)
        assert before.against_base[metric].corrected_for == 8
    assert len(lines(entry.folder / "other-before.jsonl")) == 24
    assert any("before against the base: loss better" in note for note in entry.record.notes)


def test_an_untrained_run_is_named(tmp_path, tiny_model, environment, tuned, entry, run):
    shutil.rmtree(run / "4-tune")
    dataset = dataset_of(tmp_path / "1-prepare", test=ROWS)
    with pytest.raises(ModelError, match="'before' is not there") as caught:
        evaluate(section(others=[str(run)]), dataset, tiny_model, environment, tuned, entry)
    assert "sevenfold tune" in str(caught.value)


def test_names():
    assert section(others=["runs/one", "smollm2-135m"]).others == {"one": "runs/one", "smollm2-135m": "smollm2-135m"}
    with pytest.raises(ValidationError, match="two others would be called one"):
        section(others=["a/one", "b/one"])
    with pytest.raises(ValidationError, match="cannot be called 'base'"):
        section(others={"base": "x"})


def test_a_run_that_is_trained_again_is_another(run):
    before = section(others=[str(run)]).outside()
    (run / "4-tune" / "result.json").write_text("{}")
    assert section(others=[str(run)]).outside() != before
