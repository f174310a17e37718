"""Each proof passes on what is right, and fails on the thing it guards when that thing is broken."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import Encoder
from sevenfold.errors import ProofError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune import accumulate, checkpoint
from sevenfold.tune.engine import documents
from sevenfold.tune.engine.lora import LoraLinear
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune


@pytest.fixture
def case(dataset, tiny_model, environment, tmp_path) -> Case:
    section = TuneSection.model_validate({"learning_rate": 1e-2, "steps": 3})
    return Case(section, dataset, tiny_model, environment, tmp_path)


@pytest.fixture
def tuned_case(case, tmp_path) -> Case:
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    case.tuned = tune(case.section, case.dataset, case.model, case.environment, entry)
    return case


@pytest.mark.parametrize("name", proofs.BEFORE["tune"])
def test_holds_before_training(name, case) -> None:
    proof = proofs.run(name, case)
    assert proof.passed, proofs.line(proof)


@pytest.mark.parametrize("name", proofs.AFTER["tune"])
def test_holds_after_training(name, tuned_case) -> None:
    proof = proofs.run(name, tuned_case)
    assert proof.passed, proofs.line(proof)


def test_full_tuning_holds(case) -> None:
    case.section = TuneSection.model_validate({"method": "full", "learning_rate": 1e-3, "steps": 3})
    for name in ("packing", "accumulation", "resume"):
        proof = proofs.run(name, case)
        assert proof.passed, proofs.line(proof)


def test_mask_catches_a_missing_end_of_turn(case, monkeypatch) -> None:
    closed = Encoder.closed
    monkeypatch.setattr(Encoder, "closed", lambda self, ids: closed(self, ids)[:-1])
    assert not proofs.run("mask", case).passed


def test_mask_catches_a_prompt_that_is_learnt(case, monkeypatch) -> None:
    sequences = Encoder.sequences

    def leaky(self, conversation):
        found = sequences(self, conversation)
        for sequence in found:
            first = next(i for i, weight in enumerate(sequence.weights) if weight)
            sequence.weights[first - 1] = 1.0
        return found

    monkeypatch.setattr(Encoder, "sequences", leaky)
    assert proofs.run("mask", case).figure >= 20


def test_tokens_catches_a_doubled_first_token(case, monkeypatch) -> None:
    prompt = Encoder.prompt
    monkeypatch.setattr(Encoder, "prompt", lambda self, messages: [1, *prompt(self, messages)])
    assert not proofs.run("tokens", case).passed


def test_packing_catches_attention_across_documents(case, monkeypatch) -> None:
    attend = documents.attend

    def leaky(module, query, key, value, mask, *, document_spans=None, **others):
        # Longer than what the engine tries at the start, where it would see the leak and go another way.
        spans = [[0, query.shape[2], 0, 0]] if query.shape[2] > 12 else document_spans
        return attend(module, query, key, value, mask, document_spans=spans, **others)

    monkeypatch.setattr(documents, "attend", leaky)
    assert not proofs.run("packing", case).passed


def test_packing_catches_positions_that_run_on(case, monkeypatch) -> None:
    from sevenfold.tune.engine import passes

    pack = passes.pack

    def running_on(sequences, here):
        packed = pack(sequences, here)
        packed.positions_1T = torch.arange(packed.tokens)[None] * 3
        return packed

    monkeypatch.setattr(passes, "pack", running_on)
    assert not proofs.run("packing", case).passed


def test_accumulation_catches_a_mean_of_means(case, monkeypatch) -> None:
    def mean_of_means(forward, objective, batch, figures=None):
        total = 0.0
        for part in batch:
            loss = objective.loss(forward(part), part) / part.weight / len(batch)
            loss.backward()
            total += float(loss.detach())
        return total

    monkeypatch.setattr(accumulate, "gradients", mean_of_means)
    assert not proofs.run("accumulation", case).passed


def test_resume_catches_a_lost_optimizer(case, monkeypatch) -> None:
    load = checkpoint.load

    def forgetful(place, weights, optimizer):
        state = load(place, weights, optimizer)
        optimizer.state.clear()
        return state

    monkeypatch.setattr(checkpoint, "load", forgetful)
    assert not proofs.run("resume", case).passed


def test_resume_catches_replayed_data(case, monkeypatch) -> None:
    from sevenfold.tune.batches import Batches

    at = Batches.at
    seen = []

    def drifting(self, step):
        seen.append(step)
        return at(self, step + len(seen))

    monkeypatch.setattr(Batches, "at", drifting)
    assert not proofs.run("resume", case).passed


def test_merge_catches_a_wrong_scale(tuned_case, monkeypatch) -> None:
    merged = LoraLinear.merged

    def doubled(self):
        self.scale *= 2
        return merged(self)

    monkeypatch.setattr(LoraLinear, "merged", doubled)
    assert not proofs.run("merge", tuned_case).passed


def test_a_failed_proof_stops_the_run_unless_forced(case, tmp_path, monkeypatch) -> None:
    closed = Encoder.closed
    monkeypatch.setattr(Encoder, "closed", lambda self, ids: closed(self, ids)[:-1])
    entry = Entry(tmp_path)
    with pytest.raises(ProofError, match="'mask' failed"):
        proofs.check(("mask",), "before", case, entry, force=False)
    proofs.check(("mask",), "before", case, entry, force=True)
    assert entry.record.proofs[-1]["forced"] is True
