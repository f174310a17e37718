"""The seven functions, from rows to observations, without a command, a recipe or a run."""

from __future__ import annotations

import json

import pytest

import sevenfold
from sevenfold.errors import MachineError, RecipeError, SevenfoldError
from tests.whole import write_recipe, write_rows


def test_seven_functions_from_rows_to_observations(tiny_weights, tmp_path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl")
    out = tmp_path / "out"
    dataset = sevenfold.prepare(out / "1-prepare", source=str(rows), split={"validation": 6, "test": 6})
    model = sevenfold.load(out / "2-load", model=str(tiny_weights))
    environment = sevenfold.setup(out / "3-setup", threads=1, seed=3)
    made = (dataset, model, environment)
    tuned = sevenfold.tune(out / "4-tune", *made, method={"lora": {"rank": 4}}, steps=4, learning_rate=1e-2)
    report = sevenfold.evaluate(out / "5-evaluate", *made, tuned, metrics=["loss"], rows=4, general_text="none")
    service = sevenfold.deploy(
        out / "6-deploy", *made, tuned, export=["merged"], engine="transformers", ask=2, serve={"context": 128}
    )
    observations = sevenfold.monitor(out / "7-monitor", dataset, service)

    assert dataset.counts == {"train": 28, "validation": 6, "test": 6}
    assert len(tuned.losses) == 4
    assert report.metrics["loss"].tuned < report.metrics["loss"].base
    assert service.smoke[0].answer
    assert observations.requests == 2
    for name in ("1-prepare", "2-load", "3-setup", "4-tune", "5-evaluate", "6-deploy", "7-monitor"):
        assert json.loads((out / name / "result.json").read_text())


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("tune", {"bacth": 3}, "did you mean: batch"),
        ("tune", {"method": {"lora": {"rnak": 3}}}, "did you mean: rank"),
        ("setup", {"sed": 3}, "did you mean: seed"),
        ("monitor", {"widow": 3}, "did you mean: window"),
    ],
)
def test_an_unknown_field_suggests_the_nearest(tmp_path, name, fields, message) -> None:
    with pytest.raises(RecipeError) as caught:
        getattr(sevenfold, name)(tmp_path / name, **fields)
    assert message in str(caught.value)
    assert not (tmp_path / name).exists()


def test_a_folder_that_cannot_be_made_is_a_message(tmp_path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(MachineError, match="cannot write"):
        sevenfold.setup(tmp_path / "taken" / "3-setup")


def test_run_takes_a_path_and_says_which_stages_there_are(tiny_weights, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl")
    path = write_recipe(tmp_path, tiny_weights)
    record = sevenfold.run(path, upto="load", runs=tmp_path / "mine")
    assert list(record.stages) == ["prepare", "load"]
    assert (tmp_path / "mine" / "small" / "report.html").exists()
    with pytest.raises(SevenfoldError, match="did you mean: tune"):
        sevenfold.run(path, upto="tuen")


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tuned'"):
        sevenfold.tuned  # noqa: B018
