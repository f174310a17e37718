"""Group DRO: its loss and its weights beside the paper's formulae, and what is said of groups."""

from __future__ import annotations

import math

import pytest
import torch

from sevenfold.errors import DataError
from sevenfold.record import Entry
from sevenfold.tune import accumulate, terms
from sevenfold.tune.beside._groups import Groups
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.methods import Moment
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, tune
from tests.tune.beside import rows


@pytest.fixture
def grouped(tmp_path):
    return rows.grouped(tmp_path / "1-prepare")


def section(**changes) -> TuneSection:
    return TuneSection.model_validate(
        {"beside": [{"fairness": {"by": "group", "rate": 0.7}}], "method": "full", "batch": 4, "steps": 4, **changes}
    )


def test_a_step_is_the_sum_of_weighted_groups_and_weights_follow_losses(
    tiny_model, environment, grouped, tmp_path
) -> None:
    settled = section().settled(grouped)
    assert settled.beside[0].groups == ["few", "many"]
    environment.start()
    forward = build(settled, tiny_model, environment)
    terms.start(settled, forward, tiny_model, environment, Entry(tmp_path))
    sequences = [one for row in grouped.head("train", 8) for one in settled.sequences(row, tiny_model.encoder())]
    parts = terms.parted(sequences)
    means = [accumulate.mean(forward, settled.objective, [pack(parts[number])])[0] for number in (0, 1)]
    weights = [0.5, 0.5]
    for step in range(2):
        for term in forward.terms:
            term.begin(Moment(step, 4, 17))
        loss = accumulate.gradients(forward, settled.objective, terms.laid(settled, sequences))
        forward.network.zero_grad()
        assert loss == pytest.approx(sum(q * mean for q, mean in zip(weights, means, strict=True)), rel=1e-5)
        for term in forward.terms:
            term.moved()
        raised = [q * math.exp(0.7 * mean) for q, mean in zip(weights, means, strict=True)]
        weights = [one / sum(raised) for one in raised]
        assert forward.terms[0].weights_G.tolist() == pytest.approx(weights, rel=1e-5)


def test_worked_by_hand() -> None:
    groups = Groups("fairness", ["a", "b"], rate=1.0)
    groups.losses_G += torch.tensor([math.log(3.0), 0.0])
    groups.moved()
    assert groups.weights_G.tolist() == pytest.approx([0.75, 0.25])


def test_each_group_is_watched(tiny_model, environment, grouped, tmp_path) -> None:
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    tuned = tune(section(), grouped, tiny_model, environment, entry)
    names = {"loss of group few", "loss of group many"}
    assert names <= set(tuned.validation_figures[0]) & set(tuned.validation_figures[4])
    assert {"weight of group few", "weight of group many"} <= set(tuned.history()[0]["figures"])
    figures = tuned.validation_figures[tuned.best_step]
    worst = max(names, key=lambda name: figures[name])
    assert any("the worst is" in note and worst.removeprefix("loss of ") in note for note in entry.record.notes)


def test_a_row_without_a_group_is_named(tiny_model, environment, dataset, tmp_path) -> None:
    with pytest.raises(DataError, match="no column 'group'") as caught:
        section().settled(dataset)
    assert caught.value.where.startswith("made:")


def test_a_group_that_training_never_saw_is_named(tiny_model, grouped) -> None:
    settled = section().settled(grouped)
    with pytest.raises(DataError, match="'none', a group that no training row has"):
        settled.sequences(rows.row(1, group="none"), tiny_model.encoder())


def test_a_column_of_names_is_no_group(grouped, monkeypatch) -> None:
    from sevenfold.tune.beside import fairness

    monkeypatch.setattr(fairness, "MOST", 1)
    with pytest.raises(DataError, match="2 values"):
        section().settled(grouped)


def test_two_fairness_terms_are_refused() -> None:
    with pytest.raises(Exception, match="twice"):
        TuneSection.model_validate({"beside": [{"fairness": "a"}, {"fairness": "b"}]})
