"""What every objective does is tried on a user's own, and what does not hold is named."""

from __future__ import annotations

import pytest

from tests import whole

OWN = """
from sevenfold.tune.objectives import Objective


class Own(Objective):
    sharp: float = 1.0

    def sequences(self, row, encoder):
        return encoder.sequences(row.conversation)

    def loss(self, outputs, batch):
        return {loss}
"""
NAMES = [
    "gradient",
    "mask",
    "tokens",
    "packing",
    "accumulation",
    "resume",
    "pure",
    "summed",
    "finite",
    "falls",
    "saved",
]


def write(place, loss: str) -> str:
    path = place / "own.py"
    path.write_text(OWN.format(loss=loss))
    return str(path)


def test_what_holds_is_said(tmp_path) -> None:
    called = whole.sevenfold("check-objective", write(tmp_path, "-(batch.weights_N * outputs).sum()"), "--json")
    assert called.code == 0, called.err
    assert [proof["name"] for proof in called.json["proofs"]] == NAMES
    assert all(proof["passed"] for proof in called.json["proofs"])


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        ("-(batch.weights_N * outputs).mean()", {"accumulation", "summed"}),
        ("-(batch.weights_N * outputs.detach()).sum()", {"gradient"}),
    ],
)
def test_what_does_not_hold_is_named(loss, names, tmp_path) -> None:
    called = whole.sevenfold("check-objective", write(tmp_path, loss), "--set", "sharp=2")
    assert called.code == 3
    assert "do not hold" in called.err
    for name in names:
        assert f"FAILED {name}" in called.err


def test_one_that_comes_along_is_tried_on_given_rows(tmp_path) -> None:
    rows = whole.write_rows(tmp_path / "rows.jsonl")
    called = whole.sevenfold("check-objective", "sft", "--rows", rows)
    assert called.code == 0, called.err
