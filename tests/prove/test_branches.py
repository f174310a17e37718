"""Each proof fails on the thing it guards where two answers stand behind one prompt."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.tune import accumulate, references
from sevenfold.tune.engine import documents, passes
from sevenfold.tune.objectives._answers import Judged, Pairs
from sevenfold.tune.section import TuneSection
from sevenfold.tune.trainer import Trainer
from tests.tune.objectives import judged


@pytest.fixture
def case(tiny_model, environment, tmp_path) -> Case:
    section = TuneSection.model_validate({"objective": "dpo", "learning_rate": 1e-2, "batch": 4, "steps": 3})
    return Case(section, judged.pairs(tmp_path / "1-prepare"), tiny_model, environment, tmp_path)


@pytest.mark.parametrize("name", proofs.BEFORE["tune"])
def test_holds(name, case) -> None:
    proof = proofs.run(name, case)
    assert proof.passed, proofs.line(proof)


def test_mask_catches_a_prompt_that_is_learnt(case, monkeypatch) -> None:
    sequence = Judged.sequence

    def leaky(self, encoder):
        found = sequence(self, encoder)
        found.weights[found.branches[0] - 1] = 1.0
        return found

    monkeypatch.setattr(Judged, "sequence", leaky)
    assert proofs.run("mask", case).figure >= 20


def test_mask_catches_answers_in_the_wrong_order(case, monkeypatch) -> None:
    sequence = Judged.sequence
    monkeypatch.setattr(
        Judged, "sequence", lambda self, encoder: sequence(replace(self, answers=self.answers[::-1]), encoder)
    )
    assert proofs.run("mask", case).figure == 40


def test_tokens_catches_a_rejected_answer_behind_another_prompt(case, monkeypatch) -> None:
    sequences = Pairs.sequences

    def apart(self, row, encoder):
        chosen, rejected = sequences(self, row, encoder)[0].texts()
        start = next(place for place, weight in enumerate(rejected.weights) if weight)
        ids = [*rejected.ids[: start - 1], 5, *rejected.ids[start:]]
        return [chosen, replace(rejected, ids=ids)]

    monkeypatch.setattr(Pairs, "sequences", apart)
    assert proofs.run("tokens", case).figure == 20
    assert proofs.run("mask", case).passed


def test_packing_catches_an_answer_that_reads_the_other(case, monkeypatch) -> None:
    attend = documents.attend

    def leaky(*positional, document_spans=None, **others):
        spans = [list(span) for span in document_spans]
        # Longer than what the engine tries at the start, where it would see the leak and go another way.
        for before, span in pairwise(spans) if spans[-1][1] > 60 else ():
            if span[3] and before[2:] == span[2:]:
                span[3] = before[1]
        return attend(*positional, document_spans=spans, **others)

    monkeypatch.setattr(documents, "attend", leaky)
    assert not proofs.run("packing", case).passed


def test_packing_catches_places_that_run_on_from_answer_to_answer(case, monkeypatch) -> None:
    pack = passes.pack

    def running_on(sequences, here=False):
        packed = pack(sequences, here)
        for start, end, low, high in packed.spans:
            if high > low:
                packed.positions_1T[0, start:end] += start - high
        return packed

    monkeypatch.setattr(passes, "pack", running_on)
    assert not proofs.run("packing", case).passed


def test_packing_catches_a_first_token_predicted_from_the_other_answer(case, monkeypatch) -> None:
    class Wrong(passes.Spans):
        def __init__(self, sequences) -> None:
            super().__init__(sequences)
            self.before = np.arange(len(self.before)) - 1

    monkeypatch.setattr(passes, "Spans", Wrong)
    assert not proofs.run("packing", case).passed


def test_accumulation_catches_a_mean_over_passes(case, monkeypatch) -> None:
    def mean_of_means(forward, objective, batch, figures=None):
        total = 0.0
        for part in batch:
            loss = objective.loss(objective.outputs(forward, part), part) / objective.weight(part) / len(batch)
            loss.backward()
            total += float(loss.detach())
        return total

    # Rows of one length lie one by one in passes of one size, and a mean of their means is the mean.
    sequences = [even(number) for number in range(4)]
    monkeypatch.setattr(Case, "short_sequences", lambda self: sequences)
    assert proofs.run("accumulation", case).passed
    monkeypatch.setattr(accumulate, "gradients", mean_of_means)
    assert not proofs.run("accumulation", case).passed


def even(number: int) -> TokenSequence:
    found = TokenSequence()
    found.append([1, *range(20 + number, 26 + number)], 0.0)
    found.branch([40 + number, 41, 2], 1.0)
    found.branch([50 + number, 51, 2], 1.0)
    found.columns["reference"] = [-1.0 - place / 8 for place in range(len(found))]
    return found


def test_resume_catches_a_reference_of_moved_weights(case, monkeypatch) -> None:
    resume = Trainer.resume

    def anew(self) -> None:
        resume(self)
        if self.progress.step:
            rows = range(len(self.rows))
            self.rows.columns["reference"] = references.logprobs(
                self.forward, self.section, self.rows, list(rows), lambda done: None
            )

    monkeypatch.setattr(Trainer, "resume", anew)
    assert not proofs.run("resume", case).passed


def test_a_method_that_tells_tasks_apart_holds(case, tmp_path) -> None:
    case.section = TuneSection.model_validate(
        {
            "objective": "dpo",
            "method": {"several": {"tasks": ["even", "odd"], "rank": 4}},
            "learning_rate": 1e-2,
        }
    )
    case.dataset = judged.made(tmp_path / "tasks", tasked)
    for name in proofs.BEFORE["tune"]:
        proof = proofs.run(name, case)
        assert proof.passed, proofs.line(proof)


def tasked(number: int):
    row = judged.pair(number)
    return replace(row, fields={**row.fields, "task": ("even", "odd")[number % 2]})


def test_they_hold_where_the_network_cannot_read_branches(case, monkeypatch) -> None:
    from sevenfold.tune.engine.forward import Forward

    made = Forward.__init__

    def unrolling(self, *arguments) -> None:
        made(self, *arguments)
        self.layout.branches = False

    monkeypatch.setattr(Forward, "__init__", unrolling)
    for name in ("packing", "accumulation", "resume"):
        proof = proofs.run(name, case)
        assert proof.passed, proofs.line(proof)


def test_the_plain_computation_is_of_texts(case) -> None:
    """A pair's loss by hand: two plain calls of the network."""
    from sevenfold.prove import gradients

    forward = gradients.float32_forward(case)
    first = gradients.uncertain_sequences(case)[0]
    found = gradients.of_rows(forward, [first], case).loss
    forward.network.set_attn_implementation("eager")
    margins = []
    for text in first.texts():
        with torch.no_grad():
            logits = forward.network(torch.tensor([text.ids])).logits[0].float().log_softmax(-1)
        said = [
            float(logits[place - 1, text.ids[place]]) - text.columns["reference"][place]
            for place, weight in enumerate(text.weights)
            if weight
        ]
        margins.append(sum(said))
    margin = torch.tensor(0.1 * (margins[0] - margins[1]))
    assert found == pytest.approx(float(-torch.nn.functional.logsigmoid(margin)), rel=1e-4)
