"""SMOTE, bagging and boosting of the classifier: the seams that every objective is held to, and the formulas."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from sevenfold.errors import DataError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.objectives.classify import Classify
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.tune.objectives import labelled, made

FORMS = {
    "smote": {"smote": 0.7},
    "bagging": {"ensemble": "bagging", "heads": 3},
    "boosting": {"ensemble": "boosting", "heads": 3},
    "all": {"smote": 1.0, "neighbours": 2, "ensemble": "bagging", "heads": 2, "gamma": 2.0, "state": "mean"},
}


@pytest.fixture(params=FORMS)
def fields(request) -> dict:
    return FORMS[request.param]


@pytest.fixture
def case(fields, tiny_model, environment, tmp_path) -> Case:
    section = TuneSection.model_validate({**made.section("classify"), "objective": {"classify": fields}})
    dataset = made.dataset("classify", tmp_path / "1-prepare")
    return Case(section.settled(dataset), dataset, tiny_model, environment, tmp_path)


@pytest.mark.parametrize("proof", proofs.BEFORE["tune"])
def test_its_seams_are_proved(proof, case) -> None:
    if not proofs.meaningful(proof, case.section):
        pytest.skip("it says nothing of what this objective learns")
    found = proofs.run(proof, case)
    assert found.passed, proofs.line(found)


def test_what_is_saved_says_the_same_and_is_no_single_class(case) -> None:
    entry = Entry(case.folder / "4-tune")
    entry.folder.mkdir()
    section = case.section.model_copy(update={"steps": 20, "keep": "last"})
    tuned = tune(section, case.dataset, case.model, case.environment, entry)
    assert tuned.losses[-1] < tuned.losses[0]
    objective = tuned.chosen_objective()
    forward = Forward(tuned.network(case.model, torch.float32), torch.float32)
    forward.own = tuned.own(forward.network, case.model)
    sequences = [s for n in range(24, 32) for s in objective.sequences(labelled.one_label(n), case.model.encoder())]
    with torch.no_grad():
        loss, figures = objective.validation(forward, [], sequences, 1024)
        said = objective.answers(forward, case.model.encoder(), [one.ids for one in sequences])
    last = max(tuned.validation_losses)
    assert loss == pytest.approx(tuned.validation_losses[last], rel=1e-3)
    right = [one.text == labelled.one_label(n).conversation.reference() for n, one in enumerate(said, 24)]
    assert figures["accuracy"] == pytest.approx(sum(right) / 8)
    assert all(sum(one.labels.values()) == pytest.approx(1, abs=1e-4) for one in said)
    assert bool(objective.apart(case.model)) == (objective.ensemble != "none" or objective.state != "last")


def test_points_fill_rare_labels_up(tiny_model) -> None:
    """At 1 the weights of all labels are the same over all rows; at 0.5 they are half way; nothing is drawn of -1."""
    for share in (0.5, 1.0):
        objective = Classify(labels=("a", "b"), counts=(8, 2), smote=share)
        rows = [labelled.row(n, f"text {n}", "a" if n < 8 else "b") for n in range(10)]
        sequences = [s for row in rows for s in objective.sequences(row, tiny_model.encoder())]
        batch = pack(sequences, here=True)
        weights = objective.text_weights(batch)
        assert float(weights[:8].sum()) == 8
        assert float(weights[8:].sum()) == pytest.approx(2 + 6 * share)
        assert objective.weight(batch) == pytest.approx(10 + 6 * share)
        for one in sequences:
            one.columns["key"] = [-1.0] * len(one)
        assert objective.weight(pack(sequences, here=True)) == 10


def test_heads_begin_apart_and_one_head_is_the_plain_classifier(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    heads = Classify(labels=("a", "b"), counts=(1, 1), ensemble="bagging", heads=3).own(network, tiny_model)
    assert heads.weight.shape[0] == 6
    assert len({tuple(row.tolist()) for row in heads.weight}) == 6
    assert Classify(labels=("a", "b"), counts=(1, 1)).own(network, tiny_model).weight.shape[0] == 2


def test_what_goes_not_together_is_refused(tmp_path) -> None:
    with pytest.raises(ValidationError, match="smote and ensembles are of one label a text"):
        Classify(kind="multi", smote=0.5)
    with pytest.raises(ValidationError, match="leave out weights: balanced"):
        Classify(weights="balanced", smote=0.5)
    rows = labelled.dataset(labelled.one_label, tmp_path / "a")
    with pytest.raises(DataError, match="no training row has the label 'violet'"):
        Classify(labels=("blue", "green", "red", "violet"), smote=0.5).settled(rows)
