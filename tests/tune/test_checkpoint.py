"""Checkpoints: everything comes back, half-written ones do not count, old ones go."""

from __future__ import annotations

import torch
from torch import nn

from sevenfold.tune import checkpoint


def trained(seed: int = 0):
    torch.manual_seed(seed)
    model = nn.Linear(4, 3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    step(model, optimizer)
    return model, optimizer


def step(model, optimizer) -> None:
    model(torch.ones(2, 4)).pow(2).sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def test_the_next_step_is_the_same_as_without_a_stop(tmp_path) -> None:
    model, optimizer = trained()
    checkpoint.save(tmp_path, {"step": 1}, dict(model.named_parameters()), optimizer, keep=2)
    drawn = torch.rand(1)
    step(model, optimizer)

    other, fresh = nn.Linear(4, 3), None
    fresh = torch.optim.AdamW(other.parameters(), lr=0.1, fused=True)
    state = checkpoint.load(checkpoint.found(tmp_path)[-1], dict(other.named_parameters()), fresh)
    assert state == {"step": 1}
    assert torch.equal(torch.rand(1), drawn)
    step(other, fresh)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_old_checkpoints_go_and_half_written_ones_do_not_count(tmp_path) -> None:
    model, optimizer = trained()
    (tmp_path / ".writing-abc").mkdir()
    for number in (1, 2, 3):
        checkpoint.save(tmp_path, {"step": number}, dict(model.named_parameters()), optimizer, keep=2)
    assert [path.name for path in checkpoint.found(tmp_path)] == ["step-00000002", "step-00000003"]


def test_no_file_of_a_checkpoint_is_a_pickle(tmp_path) -> None:
    model, optimizer = trained()
    place = checkpoint.save(tmp_path, {"step": 1}, dict(model.named_parameters()), optimizer, keep=1)
    assert {path.suffix for path in place.iterdir()} == {".safetensors", ".json"}


def test_weights_of_another_shape_of_network_are_refused(tmp_path) -> None:
    import pytest

    model, optimizer = trained()
    place = checkpoint.save(tmp_path, {"step": 1}, dict(model.named_parameters()), optimizer, keep=1)
    other = nn.Sequential(nn.Linear(4, 3))
    with pytest.raises(ValueError, match="other weights"):
        checkpoint.load(place, dict(other.named_parameters()), torch.optim.AdamW(other.parameters()))
