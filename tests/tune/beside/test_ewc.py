"""EWC: the Fisher information beside a naive computation, one example after the other."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.record import Entry
from sevenfold.tune import terms
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build
from tests.tune.beside import rows


def started(tiny_model, environment, tmp_path, method="full", samples=256):
    general = str(rows.write(tmp_path / "general.jsonl"))
    section = TuneSection.model_validate(
        {"method": method, "beside": [{"ewc": {"rows": general, "strength": 3.0, "samples": samples}}]}
    )
    environment.start()
    forward = build(section, tiny_model, environment)
    entry = Entry(tmp_path)
    terms.start(section, forward, tiny_model, environment, entry)
    return section, forward, entry


def test_the_fisher_information_is_the_mean_square_of_each_examples_gradient(tiny_model, environment, tmp_path) -> None:
    section, forward, entry = started(tiny_model, environment, tmp_path)
    network = tiny_model.network(torch.float32)
    network.eval()
    encoded = section.beside[0].encoded(_start(section, forward, tiny_model, environment, entry))
    sums = {name: torch.zeros_like(weight) for name, weight in network.named_parameters()}
    targets = 0
    for number in range(len(encoded)):
        network.zero_grad()
        loss = 0
        for sequence in encoded.row(number):
            logprobs = torch.log_softmax(network(torch.tensor([sequence.ids])).logits[0], -1)
            for place in range(1, len(sequence)):
                if sequence.weights[place]:
                    loss = loss - logprobs[place - 1, sequence.ids[place]]
                    targets += 1
        loss.backward()
        for name, weight in network.named_parameters():
            sums[name] += weight.grad**2
    factors = {name: held[2] for name, held in zip(sums, forward.terms[0].held, strict=True)}
    for name, total in sums.items():
        torch.testing.assert_close(factors[name], total / targets, rtol=1e-3, atol=1e-9)


def _start(section, forward, model, environment, entry):
    from sevenfold.tune.beside import Start

    return Start(section, forward, section.method.trainable(forward.network), model, environment, entry)


def test_the_penalty_is_half_the_strength_times_the_fisher_weighted_square(tiny_model, environment, tmp_path) -> None:
    _, forward, _ = started(tiny_model, environment, tmp_path)
    term = forward.terms[0]
    assert float(term.penalty().detach()) == 0.0
    with torch.no_grad():
        for weight, _, _ in term.held:
            weight += 0.5
    expected = 3.0 / 2 * sum(float(factor.sum()) * 0.25 for _, _, factor in term.held)
    assert float(term.penalty().detach()) == pytest.approx(expected, rel=1e-4)


def test_it_is_measured_once_and_kept(tiny_model, environment, tmp_path, own_cache, monkeypatch) -> None:
    from sevenfold.tune.beside import ewc

    calls = []
    measure = ewc.fisher
    monkeypatch.setattr(ewc, "fisher", lambda *given: calls.append(1) or measure(*given))
    _, first, _ = started(tiny_model, environment, tmp_path)
    _, again, _ = started(tiny_model, environment, tmp_path)
    assert len(calls) == 1
    for one, other in zip(first.terms[0].held, again.terms[0].held, strict=True):
        assert torch.equal(one[2], other[2])
    started(tiny_model, environment, tmp_path, samples=2)
    assert len(calls) == 2


def test_what_it_cannot_hold_is_said(tiny_model, environment, tmp_path) -> None:
    _, _, entry = started(tiny_model, environment, tmp_path, method="lora")
    assert any("have no gradient at the start and are not held" in note for note in entry.record.notes)


def test_a_method_whose_numbers_change_their_meaning_is_refused(tmp_path) -> None:
    general = str(rows.write(tmp_path / "general.jsonl"))
    with pytest.raises((RecipeError, ValueError), match="stand for"):
        TuneSection.model_validate({"method": "spiel", "beside": [{"ewc": general}]})
