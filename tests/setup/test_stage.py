from __future__ import annotations

import json

import torch

from sevenfold.record import Entry
from sevenfold.setup.environment import Environment
from sevenfold.setup.section import SetupSection
from sevenfold.setup.stage import setup


def test_an_environment_says_why_and_opens_again(tmp_path):
    entry = Entry(tmp_path)
    environment = setup(SetupSection(device="cpu", precision="float32", threads=1, seed=5), entry)
    assert Environment.open(tmp_path) == environment
    assert (environment.device, environment.precision, environment.reason) == ("cpu", "float32", "asked for")
    assert entry.record.notes[0] == "float32 on cpu: asked for"
    assert entry.record.machine["versions"]["torch"]
    json.dumps(entry.record.machine)


def test_the_same_seed_draws_the_same_weights(tmp_path):
    environment = setup(SetupSection(device="cpu", threads=1), Entry(tmp_path))
    environment.start()
    first = torch.randn(5)
    environment.start()
    assert torch.equal(torch.randn(5), first)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1


def test_a_run_that_moves_to_another_machine_is_not_made_anew(monkeypatch):
    from sevenfold.setup import devices

    monkeypatch.setattr(devices, "cpu_flags", lambda: frozenset({"avx2"}))
    before = SetupSection().outside()
    monkeypatch.setattr(devices, "cpu_flags", lambda: frozenset({"avx2", "amx_bf16"}))
    assert SetupSection().outside() == before
