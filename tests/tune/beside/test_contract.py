"""The contract of what stands beside an objective: every name in the registry runs through all of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from pydantic import ValidationError

from sevenfold.errors import ModelError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune import accumulate, terms, trainer
from sevenfold.tune.beside import TERMS
from sevenfold.tune.methods import METHODS, Moment
from sevenfold.tune.objectives import OBJECTIVES
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, tune
from tests.tune.beside import rows
from tests.tune.methods.test_contract import FIELDS as METHOD_FIELDS
from tests.tune.methods.test_contract import RATES, files  # noqa: F401 - adapters that a method stands on
from tests.tune.objectives import made

STRONG = {"l1_start": {"strength": 1e-3}, "l2_start": {"strength": 1.0}, "fairness": {"by": "group", "rate": 1.0}}


@pytest.fixture(params=TERMS.names())
def name(request) -> str:
    return request.param


@pytest.fixture
def general(tmp_path) -> str:
    return str(rows.write(tmp_path / "general.jsonl"))


@pytest.fixture
def written(name, general) -> dict:
    return {name: STRONG.get(name) or {"rows": general}}


@pytest.fixture
def made_rows(tmp_path):
    return rows.grouped(tmp_path / "1-prepare")


@pytest.fixture
def case(written, made_rows, tiny_model, environment, tmp_path) -> Case:
    return Case(section(written), made_rows, tiny_model, environment, tmp_path)


def section(written: dict, **changes) -> TuneSection:
    return TuneSection.model_validate(
        {"beside": [written], "method": "full", "learning_rate": 1e-3, "batch": 4, "steps": 4, **changes}
    )


def train(section: TuneSection, case: Case):
    entry = Entry(case.folder / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(section, case.dataset, case.model, case.environment, entry)


def started(section: TuneSection, case: Case):
    """A network with its terms, some weights moved away from the start, at the second step."""
    case.environment.start()
    forward = build(section, case.model, case.environment)
    terms.start(section, forward, case.model, case.environment, Entry(case.folder))
    weights = trainer.moving(forward, section)
    drawn = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in weights.values():
            weight += 0.02 * torch.randn(weight.shape, generator=drawn)
    for term in forward.terms:
        term.begin(Moment(1, 4, 17))
    return forward, weights


def taken(forward, weights, objective, batch):
    loss = accumulate.gradients(forward, objective, batch)
    found = {name: weight.grad.clone() for name, weight in weights.items() if weight.grad is not None}
    for weight in weights.values():
        weight.grad = None
    return loss, found


@pytest.mark.parametrize("proof", proofs.BEFORE["tune"])
def test_the_seams_are_proved(proof, case) -> None:
    found = proofs.run(proof, case)
    assert found.passed, proofs.line(found)


def test_a_training_resumes_with_its_bits(case, written) -> None:
    whole = train(section(written, checkpoint_every=2), case).losses
    case.folder = case.folder / "again"
    case.folder.mkdir()
    stopped = case.folder / "4-tune" / "checkpoints" / "step-00000004"
    assert train(section(written, checkpoint_every=2), case).losses == whole
    before = {path.name: path.read_bytes() for path in stopped.iterdir()}
    for path in stopped.iterdir():
        path.unlink()
    stopped.rmdir()
    (case.folder / "4-tune" / "best.safetensors").unlink()
    # Another process, which knows nothing but what lies in the folder.
    assert train(section(written, checkpoint_every=2), case).losses == whole
    assert {path.name: path.read_bytes() for path in stopped.iterdir() if path.name != "state.json"} == {
        name: value for name, value in before.items() if name != "state.json"
    }


def test_it_changes_what_is_learnt_and_not_what_validation_says(case, written) -> None:
    beside = train(section(written), case)
    case.folder = case.folder / "plain"
    case.folder.mkdir()
    plain = train(section(written, beside=[]), case)
    assert beside.losses != plain.losses
    assert beside.validation_losses[0] == pytest.approx(plain.validation_losses[0], rel=1e-6)
    assert beside.validation_losses[4] != plain.validation_losses[4]
    assert all(step["figures"] for step in beside.history())


def test_accumulation_changes_nothing(case) -> None:
    settled = case.section
    forward, weights = started(settled, case)
    sequences = case.short_sequences()
    found = []
    for budget in (10_000, 1):
        cut = settled.model_copy(update={"tokens_per_pass": budget})
        for term in forward.terms:
            term.begin(Moment(1, 4, 17))
            if hasattr(term, "section"):
                term.section = cut
                term.begin(Moment(1, 4, 17))
        found.append(taken(forward, weights, settled.objective, terms.laid(cut, sequences)))
    (whole, gradients), (parts, others) = found
    assert parts == pytest.approx(whole, rel=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(others[name], gradient, rtol=1e-3, atol=1e-6)


def test_weights_that_move_in_the_backward_pass_end_the_same(case, written) -> None:
    fields = {"clip": None, "optimizer": {"sgd": {}}, "learning_rate": 1e-2, "keep": "last"}
    ends = []
    for in_backward in (False, True):
        case.folder = case.folder / str(in_backward)
        case.folder.mkdir()
        tuned = train(section(written, **fields, engine={"step_in_backward": in_backward}), case)
        ends.append(tuned.network(case.model, torch.float32).state_dict())
    for name, weight in ends[0].items():
        torch.testing.assert_close(ends[1][name], weight, rtol=1e-4, atol=1e-6)


def test_losses_without_gradients_are_the_same(case) -> None:
    forward, weights = started(case.section, case)
    batch = terms.laid(case.section, case.short_sequences())
    loss, _ = taken(forward, weights, case.section.objective, batch)
    with torch.no_grad():
        again = sum(float(part) for part in accumulate.losses(forward, case.section.objective, batch))
    assert again == pytest.approx(loss, rel=1e-5)


def test_memory_is_planned(case, written) -> None:
    from sevenfold.tune.tokens import encoded_split
    from sevenfold.tune.work import work_of

    def planned(settled: TuneSection):
        encoded = encoded_split("train", settled, case.dataset, case.model, Entry(case.folder))
        return work_of(settled, encoded, case.model, case.environment)

    plain = planned(section(written, beside=[]))
    beside = planned(case.section)
    term = case.section.beside[0]
    skeleton = case.model.skeleton()
    case.section.method.attach(skeleton)
    held = term.state_bytes(case.section.method.trainable(skeleton))
    assert beside.optimizer_bytes - plain.optimizer_bytes == pytest.approx(held / plain.trainable_parameters)
    assert beside.total_tokens == round(plain.total_tokens * (1 + term.rows_share(4)))


@pytest.mark.slow
@pytest.mark.parametrize("method", [name for name in METHODS.names() if METHODS.find(name).trains])
def test_it_goes_with_every_method(method, case, written, name) -> None:
    fields = {"method": {method: METHOD_FIELDS.get(method, {})}, "steps": 2, "tokens_per_pass": 4000}
    if name == "ewc" and METHODS.find(method).wanders:
        with pytest.raises(ValidationError, match="stand for"):
            section(written, **fields)
        return
    assert len(train(section(written, **fields, learning_rate=RATES.get(method, 1e-3)), case).losses) == 2


@pytest.mark.slow
@pytest.mark.parametrize("objective", OBJECTIVES.names())
def test_it_goes_with_every_objective(objective, written, request, environment, tmp_path, name) -> None:
    dataset = made.dataset(objective, tmp_path / "1-prepare")
    in_groups(dataset)
    chosen = TuneSection.model_validate(made.section(objective)).objective
    fields = {**made.section(objective), "beside": [written], "steps": 2}
    if name == "fairness" and (chosen.on_policy or chosen.joint):
        with pytest.raises(ValidationError, match="loss of its own"):
            TuneSection.model_validate(fields)
        return
    model = request.getfixturevalue(made.MODELS.get(objective, "tiny_model"))
    case = SimpleNamespace(dataset=dataset, model=model, environment=environment, folder=tmp_path)
    if "rows" in written[name] and "encoder" in made.MODELS.get(objective, ""):
        with pytest.raises(ModelError, match="both directions"):
            train(TuneSection.model_validate(fields), case)
        return
    assert len(train(TuneSection.model_validate(fields), case).losses) == 2


def in_groups(dataset) -> None:
    from dataclasses import replace

    from tests.rows import write_split

    for split in dataset.counts:
        found = [
            replace(row, fields={**row.fields, "group": "few" if number % 4 == 0 else "many"})
            for number, row in enumerate(dataset.rows(split))
        ]
        write_split(dataset, split, found)
