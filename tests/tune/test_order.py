"""The order of the rows does not depend on their lengths, and how a step is split into passes changes no gradient."""

from __future__ import annotations

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.record import Entry
from sevenfold.tune.batches import Batches
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build
from sevenfold.tune.trainer import Trainer


class Made:
    """Rows of given lengths, in memory."""

    def __init__(self, lengths: list[int]) -> None:
        self.lengths, self.asked = lengths, []
        self.origins = [f"made:{number}" for number in range(len(lengths))]

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, rows: list[int]) -> list[object]:
        return []

    def sequences(self, rows: list[int]) -> list[TokenSequence]:
        self.asked.append(list(rows))
        return [TokenSequence([3 + row] * self.lengths[row], [1.0] * self.lengths[row]) for row in rows]


@pytest.mark.parametrize("lengths", [[9] * 12, list(range(2, 14)), list(range(40, 4, -3))])
def test_the_trainer_reads_the_rows_of_seed_and_step_whatever_their_lengths(
    lengths, tiny_model, environment, tmp_path
) -> None:
    section = TuneSection.model_validate({"batch": 5, "epochs": 2, "tokens_per_pass": 30})
    rows = Made(lengths)
    trainer = Trainer(build(section, tiny_model, environment), section, rows, Made([]), 17, Entry(tmp_path))
    trainer.train()
    batches = Batches(12, 5, seed=17)
    assert rows.asked == [batches.at(step) for step in range(6)]


@pytest.mark.parametrize("budget", [1, 25, 60, 10_000])
def test_the_split_into_passes_changes_no_gradient(budget, tiny_model, environment) -> None:
    from sevenfold.tune import accumulate
    from sevenfold.tune.engine.passes import passes

    def gradients(budget: int) -> dict[str, torch.Tensor]:
        environment.start()
        section = TuneSection.model_validate({"method": "full"})
        forward = build(section, tiny_model, environment)
        sequences = Made([5, 30, 8, 17, 2]).sequences([0, 1, 2, 3, 4])
        accumulate.gradients(forward, section.objective, passes(sequences, budget))
        return {name: weight.grad for name, weight in forward.network.named_parameters()}

    expected = gradients(1_000_000)
    for name, gradient in gradients(budget).items():
        torch.testing.assert_close(
            gradient, expected[name], rtol=1e-4, atol=1e-6 * float(expected[name].abs().max()) + 1e-7
        )
