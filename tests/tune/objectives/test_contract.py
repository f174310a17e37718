"""The contract that every objective inherits: each name in the registry runs through all of it."""

from __future__ import annotations

from statistics import fmean

import pytest
import torch

from sevenfold.errors import TrainingError
from sevenfold.prove import gradients, proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune import accumulate
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.methods import METHODS
from sevenfold.tune.objectives import OBJECTIVES
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, tune
from tests.tune.methods.test_contract import FIELDS as METHOD_FIELDS
from tests.tune.methods.test_contract import RATES
from tests.tune.objectives import made


@pytest.fixture(params=OBJECTIVES.names())
def name(request) -> str:
    return request.param


@pytest.fixture
def case(name, request, environment, tmp_path) -> Case:
    model = request.getfixturevalue(made.MODELS.get(name, "tiny_model"))
    section = TuneSection.model_validate(made.section(name))
    return Case(section, made.dataset(name, tmp_path / "1-prepare"), model, environment, tmp_path)


def train(case: Case, **changes):
    section = TuneSection.model_validate({**case.section.model_dump(mode="json"), **changes})
    entry = Entry(case.folder / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(section, case.dataset, case.model, case.environment, entry)


@pytest.mark.parametrize("proof", proofs.BEFORE["tune"])
def test_its_seams_are_proved(proof, case) -> None:
    if not proofs.meaningful(proof, case.section):
        pytest.skip("it says nothing of what this objective learns")
    found = proofs.run(proof, case)
    assert found.passed, proofs.line(found)


def test_it_is_planned(case) -> None:
    """What the plan says that moves is what the trainer moves, what the objective has beside the network included."""
    from sevenfold.tune.tokens import encoded_split
    from sevenfold.tune.trainer import moving
    from sevenfold.tune.work import work_of

    rows = encoded_split("train", case.section, case.dataset, case.model, Entry(case.folder))
    work = work_of(case.section, rows, case.model, case.environment)
    forward = build(case.section, case.model, case.environment)
    assert work.trainable_parameters == sum(weight.numel() for weight in moving(forward, case.section).values())
    assert case.environment.plan(work).seconds > 0


def test_its_loss_falls(case) -> None:
    tuned = train(case, steps=30)
    # What is drawn changes with the model, so one step's loss cannot be compared with another's; rewards can.
    worth = [-step["figures"].get("reward", 0.0) for step in tuned.history()]
    losses = worth if case.section.objective.on_policy else tuned.losses
    assert fmean(losses[-5:]) < fmean(losses[:5])


def test_its_validation_is_watched(case) -> None:
    tuned = train(case)
    assert set(tuned.validation_losses) == set(tuned.validation_figures) >= {0, 4}
    names = {frozenset(figures) for figures in tuned.validation_figures.values()}
    assert len(names) == 1
    # What is watched without a gradient is watched of every step too.
    assert {frozenset(step["figures"]) for step in tuned.history()} >= names or case.section.objective.on_policy


def test_what_it_has_of_its_own_is_saved_and_loaded(case) -> None:
    tuned = train(case, keep="last")
    network = tuned.network(case.model, torch.float32)
    forward = Forward(network, torch.float32)
    forward.own = tuned.own(network, case.model)
    again = validation(forward, case)
    assert again == pytest.approx(tuned.validation_losses[4], rel=1e-4)


def validation(forward: Forward, case: Case) -> float:
    from sevenfold.tune import references
    from sevenfold.tune.tokens import encoded_split

    rows = encoded_split("validation", case.section, case.dataset, case.model, Entry(case.folder))
    if case.section.objective.reference:
        start = build(case.section, case.model, case.environment)
        references.apply(case.section, start, {"validation": rows}, case.model, case.environment, Entry(case.folder))
    numbers = range(len(rows))
    objective = case.section.objective
    return objective.validation(forward, rows.rows(numbers), rows.sequences(numbers), case.section.tokens_per_pass)[0]


def test_a_validation_does_not_depend_on_its_passes(case) -> None:
    forward = gradients.float32_forward(case)
    sequences = case.short_sequences()
    objective = case.section.objective
    means = [accumulate.mean(forward, objective, passes(sequences, size, objective.here)) for size in (10_000, 1)]
    assert means[0][0] == pytest.approx(means[1][0], rel=1e-4)
    assert means[0][1] == pytest.approx(means[1][1], rel=1e-4, abs=1e-6)


def test_figures_are_those_of_the_step(case) -> None:
    forward, objective = gradients.float32_forward(case), case.section.objective
    batch = passes(case.short_sequences(), 10_000, objective.here)
    seen: dict[str, float] = {}
    loss = accumulate.gradients(forward, objective, batch, seen)
    mean, figures = accumulate.mean(forward, objective, batch)
    assert loss == pytest.approx(mean, rel=1e-5)
    assert seen == pytest.approx(figures, rel=1e-5, abs=1e-6)


def test_a_loss_that_is_not_a_number_stops_it(case, monkeypatch) -> None:
    kind = type(case.section.objective)
    loss = kind.loss
    monkeypatch.setattr(kind, "loss", lambda self, outputs, batch: loss(self, outputs, batch) * torch.nan)
    with pytest.raises(TrainingError, match="not a number"):
        train(case)


@pytest.mark.slow
@pytest.mark.parametrize("method", [name for name in METHODS.names() if METHODS.find(name).trains])
def test_it_goes_with_every_method(method, case) -> None:
    if method == "fusion":
        pytest.skip("stands on the adapters of other runs")
    fields = {"method": {method: METHOD_FIELDS.get(method, {})}, "steps": 2}
    if method == "mask" and case.model.card.kind == "encoder":
        # BERT's feed-forward layers are two modules, not one whose neurons could be told: it says so, and what goes.
        fields["method"] = {"mask": {"what": "entries"}}
    tuned = train(case, **fields, **({"learning_rate": RATES[method]} if method in RATES else {}))
    assert len(tuned.losses) == 2
    assert tuned.network(case.model, torch.float32) is not None
