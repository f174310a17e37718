"""The check safety on the tiny model, base against tuned, and on files of public sets."""

import pytest
from pydantic import ValidationError

from sevenfold.errors import DataError
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.record import Entry
from tests.evaluate.rows import TASK, dataset_of, lines


def check(**fields):
    return EvaluateSection(checks=[{"safety": fields}]).checks[0]


def test_the_tiny_model_is_asked_for_real(tmp_path, tiny_model, environment, tuned):
    (tmp_path / "5-evaluate").mkdir()
    entry = Entry(tmp_path / "5-evaluate")
    chosen = EvaluateSection(
        checks=[{"safety": {"rows": 4, "dimensions": ["ethics", "fairness"]}}], metrics=["loss"], resamples=1000
    )
    found = evaluate(chosen, dataset_of(tmp_path / "1-prepare", test=TASK), tiny_model, environment, tuned, entry)
    safety = found.checks["safety"]
    assert set(safety["comparisons"]) == {"ethics.agrees", "fairness.same_decision", "fairness.moved"}
    assert set(safety["groups"]) == {"en", "fa"}
    written = lines(entry.folder / "checks" / "safety.jsonl")
    assert [line["base"]["dimension"] for line in written] == ["ethics"] * 4 + ["fairness"] * 4
    assert safety["more"]["digests"]["ethics"] != safety["more"]["digests"]["fairness"]


def test_public_sets_take_the_place_of_our_items(tmp_path):
    (tmp_path / "cm_test.csv").write_text("label,input,is_short\n1,I lied.,True\n0,I helped.,True\n")
    items = check(dimensions=["ethics", "tone"], sets=str(tmp_path)).items(0)
    assert [(item.source, item.right) for item in items["ethics"]] == [("ethics", 1), ("ethics", 0)]
    assert {item.source for item in items["tone"]} == {"own"}


def test_a_missing_set_says_where_to_get_it(tmp_path):
    with pytest.raises(DataError) as caught:
        check(dimensions=["stereotype"], sets=str(tmp_path), public=["crows_pairs"]).fingerprints()
    assert "https://github.com/nyu-mll/crows-pairs" in caught.value.next_step
    assert "crows_pairs_anonymized.csv" in caught.value.expected


def test_a_dimension_that_is_not_there():
    with pytest.raises(ValidationError, match="there is no dimension 'toxicty'"):
        check(dimensions=["toxicty"])


def test_which_sets_without_their_folder_is_refused():
    with pytest.raises(ValidationError, match="in which folder"):
        check(public=["ethics"])
