"""States come back bit for bit; a torn file gives fewer of them and never wrong ones."""

from __future__ import annotations

import pytest
import torch

from sevenfold.tune.engine.states import RECORD, States

OWNER = {"depth": 1}


def opened(folder, owner=OWNER, size=4096) -> States:
    return States(folder / "trunk", 8, torch.bfloat16, size, owner)


@pytest.fixture
def written(tmp_path):
    kept = {(number, 7): torch.randn(number + 1, 8).bfloat16() for number in range(4)}
    states = opened(tmp_path)
    assert all(states.write(key, value) for key, value in kept.items())
    states.close()
    return kept


def found(states: States, key, like: torch.Tensor) -> torch.Tensor:
    into = torch.empty_like(like)
    states.read(key, into)
    return into


def test_they_come_back_in_another_process(written, tmp_path) -> None:
    states = opened(tmp_path)
    assert len(states) == 4
    for key, value in written.items():
        assert key in states
        assert torch.equal(found(states, key, value), value)


@pytest.mark.parametrize("cut", range(1, RECORD.itemsize))
def test_half_a_line_is_cut_off_and_the_next_one_is_whole(cut, written, tmp_path) -> None:
    index = tmp_path / "trunk" / "index"
    index.write_bytes(index.read_bytes()[:-cut])
    states = opened(tmp_path)
    assert (3, 7) not in states
    assert states.write((3, 7), written[3, 7])
    states.close()
    again = opened(tmp_path)
    assert len(again) == 4
    assert (3, 7) in again
    assert torch.equal(found(again, (3, 7), written[3, 7]), written[3, 7])


def test_states_that_do_not_fit_their_checksum_are_forgotten(written, tmp_path) -> None:
    with (tmp_path / "trunk" / "states").open("r+b") as file:
        file.write(b"\x01\x02")
    states = opened(tmp_path)
    assert (0, 7) not in states
    assert (1, 7) in states


def test_another_owner_starts_anew(written, tmp_path) -> None:
    assert len(opened(tmp_path, {"depth": 2})) == 0


def test_no_more_than_the_reserved_room_is_written(tmp_path) -> None:
    states = opened(tmp_path, size=64)
    assert states.write((1, 1), torch.zeros(4, 8).bfloat16())
    assert not states.write((2, 2), torch.zeros(1, 8).bfloat16())
    assert (2, 2) not in states
