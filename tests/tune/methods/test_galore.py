"""GaLore through the stage: which weights are projected, the bytes of the state, steps in the backward pass."""

from __future__ import annotations

import pytest
import torch

from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.methods.galore import Galore
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build, encoded_split, tune
from sevenfold.tune.work import work_of

IN_BACKWARD = {"clip": None, "engine": {"step_in_backward": True}}


def section(more=None, **fields) -> TuneSection:
    base = {"method": {"galore": fields}, "learning_rate": 1e-2, "steps": 4, "batch": 4}
    return TuneSection.model_validate({**base, **(more or {})})


def trained(made: TuneSection, dataset, tiny_model, environment, folder):
    entry = Entry(folder)
    entry.folder.mkdir()
    return tune(made, dataset, tiny_model, environment, entry)


def test_matrices_of_the_blocks_are_projected(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    weights = dict(network.named_parameters())
    ranks = Galore().ranks(network, weights)
    expected = {name for name in weights if name.endswith("_proj.weight")}
    assert {name for name, rank in ranks.items() if rank == 16} == expected
    assert {rank for name, rank in ranks.items() if name not in expected} == {None}
    with_ends = Galore(embeddings=True).ranks(network, weights)
    assert with_ends["model.embed_tokens.weight"] == 16
    # Keys and values have 32 rows.
    assert Galore(rank=32).ranks(network, weights)["model.layers.0.self_attn.k_proj.weight"] is None


@pytest.mark.parametrize("embeddings", [False, True])
def test_the_plan_counts_the_bytes_of_the_state(embeddings, dataset, tiny_model, environment, tmp_path) -> None:
    made = section(rank=8, embeddings=embeddings)
    rows = encoded_split("train", made, dataset, tiny_model, Entry(tmp_path))
    work = work_of(made, rows, tiny_model, environment)
    forward = build(made, tiny_model, environment)
    mover = made.method.mover(forward, made, made.method.trainable(forward.network))
    mover.set_rate(1e-3)
    mover.step(passes(rows.sequences(range(4)), 10_000), lambda loss, norm: None)
    held = [value for kept in mover.optimizer.state.values() for value in kept.values() if value.ndim]
    assert sum(value.nbytes for value in held) == round(work.optimizer_bytes * work.trainable_parameters)
    # By the paper's formula: m r + 2 n r of each matrix, two moments of everything else.
    blocks = 2 * ((64 + 2 * 64) + (32 + 2 * 64) * 2 + (64 + 2 * 64) + (64 + 2 * 128) * 3) * 8
    norms, ends = 2 * 5 * 64, (64 + 2 * 400) * 8 if embeddings else 2 * 400 * 64
    assert sum(value.nbytes for value in held) == 4 * (blocks + norms + ends)
    assert work.optimizer_bytes < 8


def test_steps_in_the_backward_pass_are_the_same(dataset, tiny_model, environment, tmp_path) -> None:
    behind = trained(section({"clip": None}, every=2), dataset, tiny_model, environment, tmp_path / "behind")
    within = trained(section(IN_BACKWARD, every=2), dataset, tiny_model, environment, tmp_path / "within")
    assert within.losses == behind.losses
    ids = torch.tensor([[1, 5, 9, 2, 30]])
    assert torch.equal(*(tuned.network(tiny_model, torch.float32)(ids).logits for tuned in (behind, within)))


@pytest.mark.parametrize("more", [{}, IN_BACKWARD])
def test_a_stopped_run_resumes_with_its_projections(more, dataset, tiny_model, environment, tmp_path) -> None:
    # Of four steps the third computes no projection: it needs the one of the checkpoint.
    proof = proofs.run("resume", Case(section(more, every=3), dataset, tiny_model, environment, tmp_path))
    assert proof.figure == 0.0


def test_the_share_of_projected_parameters_is_said(tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    method = Galore()
    method.attach(network)
    blocks = 2 * (64 * 64 * 2 + 32 * 64 * 2 + 3 * 64 * 128)
    share = blocks / sum(weight.numel() for weight in network.parameters())
    assert method.notes(network) == [f"{share:.0%} of the parameters have projected gradients"]
