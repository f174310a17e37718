"""GRPO's loss: the papers' formulae written out, values worked by hand, and TRL's."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from statistics import fmean, stdev

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.dataset import Row
from sevenfold.schema import build
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.objectives._on_policy import REFERENCE, Drawn
from sevenfold.tune.objectives._surrogate import OLD
from sevenfold.tune.objectives.grpo import Grpo, advantages
from sevenfold.tune.section import TuneSection

REWARDS = [[1.0, 0.0, 0.5], [0.25, 0.25, 1.0]]
LENGTHS = [[3, 1, 4], [2, 5, 2]]
NOW = [-1.0, -0.2, -2.0, -0.5, -0.1, -1.2, -3.0, -0.4, -0.9, -0.3, -1.1, -0.6, -0.8, -2.2, -0.7, -1.5, -0.05]
BEFORE = [-1.1, -0.5, -1.0, -0.5, -0.6, -1.0, -2.0, -0.9, -0.8, -0.1, -1.4, -0.9, -0.8, -2.0, -0.2, -1.6, -0.5]
START = [-1.3, -0.6, -1.9, -0.2, -0.3, -1.7, -2.5, -0.8, -0.4, -0.7, -1.0, -0.9, -1.8, -2.1, -0.6, -1.4, -0.25]


def drawn() -> list[Drawn]:
    found = []
    for lengths, rewards in zip(LENGTHS, REWARDS, strict=True):
        answers = [list(range(10, 10 + length)) for length in lengths]
        found.append(Drawn(TokenSequence([1, 2, 3], [0.0] * 3), answers, [], list(rewards)))
    return found


def fill(sequences: list[TokenSequence], name: str, values: list[float]) -> None:
    numbers = iter(values)
    for sequence in sequences:
        sequence.columns[name] = [next(numbers) if weight else 0.0 for weight in sequence.weights]


def ours(**fields) -> float:
    objective = build(Grpo, {"max_new_tokens": 8, "answers_each": 3, **fields}, "grpo")
    sequences = [objective.weighed(one) for one in drawn()]
    fill(sequences, OLD, BEFORE)
    if objective.beta:
        fill(sequences, REFERENCE, START)
    batch = pack(objective.normalised(sequences))
    return float(objective.loss(torch.tensor(NOW), batch) / objective.weight(batch))


def naive(mean: str = "tokens", standardise: bool = True, beta: float = 0.0, clip=0.2, clip_high=None) -> float:
    """The papers' formulae, answer by answer and token by token."""
    high, place, answers = clip if clip_high is None else clip_high, 0, []
    for lengths, rewards in zip(LENGTHS, REWARDS, strict=True):
        for length, reward in zip(lengths, rewards, strict=True):
            advantage = reward - fmean(rewards)
            if standardise:
                advantage /= stdev(rewards) + 1e-4
            tokens = []
            for index in range(place, place + length):
                ratio = math.exp(NOW[index] - BEFORE[index])
                clipped = min(max(ratio, 1 - clip), 1 + high)
                gap = START[index] - NOW[index]
                tokens.append(-min(ratio * advantage, clipped * advantage) + beta * (math.exp(gap) - gap - 1))
            answers.append(tokens)
            place += length
    if mean == "answers":
        return fmean(fmean(tokens) for tokens in answers)
    if mean == "constant":
        return fmean(sum(tokens) / 8 for tokens in answers)
    return fmean(value for tokens in answers for value in tokens)


FORMS = [
    {"mean": "answers", "beta": 0.04},
    {"mean": "constant", "standardise": False},
    {"mean": "tokens", "clip_high": 0.28},
    {"mean": "tokens", "beta": 0.1, "clip": 0.3},
]


@pytest.mark.parametrize("form", FORMS)
def test_it_is_the_papers_formula(form) -> None:
    assert ours(**form) == pytest.approx(naive(**form), abs=1e-6)


TRL = {
    "grpo": ({"mean": "answers", "beta": 0.04}, -0.01582757569849491),
    "dr_grpo": ({"mean": "constant", "standardise": False}, -0.004762638360261917),
    "dapo": ({"mean": "tokens", "clip_high": 0.28}, -0.025967689231038094),
}
"""What ``GRPOTrainer._compute_loss`` of TRL 1.16.0 gives, by its own ``loss_type``, for the numbers above.

It was called on a trainer without a model, whose method for log-probabilities gave ``NOW``, with ``BEFORE`` as
``old_per_token_logps``, ``START`` as ``ref_per_token_logps``, and advantages as its rewards' scaling makes them.
"""


@pytest.mark.parametrize("name", TRL)
def test_it_is_trls_loss(name) -> None:
    form, expected = TRL[name]
    assert ours(**form) == pytest.approx(expected, abs=1e-5)


def test_worked_by_hand() -> None:
    # Two answers of one token, worth 1 and 0: advantages 0.5 and -0.5. The first token is twice as likely as before,
    # which counts as 1.2; the second half as likely, which counts as 0.8: -(0.5 * 1.2 - 0.5 * 0.8) / 2 = -0.1.
    objective = build(Grpo, {"standardise": False, "answers_each": 2}, "grpo")
    one = Drawn(TokenSequence([1], [0.0]), [[5], [6]], [], [1.0, 0.0])
    (sequence,) = objective.normalised([objective.weighed(one)])
    batch = pack([replace(sequence, columns={**sequence.columns, OLD: [0.0, -1.0, -1.0]})])
    found = torch.tensor([-1 + math.log(2), -1 - math.log(2)])
    assert float(objective.loss(found, batch) / objective.weight(batch)) == pytest.approx(-0.1)
    assert objective.figures(found, batch)["clipped"] == 2


@pytest.mark.parametrize("form", FORMS)
def test_a_group_that_teaches_nothing_counts_as_if_it_were_read(form) -> None:
    objective = build(Grpo, {"max_new_tokens": 8, **form}, "grpo")
    groups = drawn()
    groups[1].rewards = [0.5, 0.5, 0.5]
    sequences = [objective.weighed(one) for one in groups]
    fill(sequences, OLD, BEFORE)
    if objective.beta:
        fill(sequences, REFERENCE, START)
    kept = objective.normalised(sequences)
    assert len(kept) == (2 if objective.beta else 1)
    batch = pack(kept)
    found = float(objective.loss(torch.tensor(NOW)[: len(batch.labels_N)], batch) / objective.weight(batch))
    expected = {"answers": 6, "tokens": 17, "constant": 6 * 8}[objective.mean]
    if not objective.beta:
        weights = {"answers": 3, "tokens": 8, "constant": 8}[objective.mean]
        (alone,) = objective.normalised(sequences[:1])
        single = pack([alone])
        mean = float(objective.loss(torch.tensor(NOW)[:8], single) / objective.weight(single))
        whole = mean * (weights if objective.mean != "constant" else 3 * 8)
        assert found == pytest.approx(whole / expected, abs=1e-6)


def test_groups_without_a_difference_are_still_a_step() -> None:
    objective = build(Grpo, {}, "grpo")
    groups = [replace(one, rewards=[1.0] * 3) for one in drawn()]
    kept = objective.normalised([objective.weighed(one) for one in groups])
    batch = pack(kept)
    assert float(objective.loss(torch.tensor(NOW), batch)) == 0


def test_old_probabilities_that_are_not_known_are_those_of_now() -> None:
    objective = build(Grpo, {"standardise": False}, "grpo")
    batch = pack(objective.normalised([objective.weighed(one) for one in drawn()]))
    logprobs = torch.tensor(NOW, requires_grad=True)
    objective.loss(logprobs, batch).backward()
    assert torch.equal(logprobs.grad, -batch.columns["advantage"])


def test_advantages() -> None:
    assert advantages([1.0, 0.0], False) == [0.5, -0.5]
    assert advantages([2.0, 1.0, 0.0], True) == pytest.approx([1 / 1.0001, 0, -1 / 1.0001])
    assert advantages([3.0, 3.0], True) == [0.0, 0.0]


def test_branches_are_the_answers() -> None:
    sequence = drawn()[0].sequence()
    edges = [*sequence.branches, len(sequence)]
    assert [end - start for start, end in pairwise(edges)] == LENGTHS[0]


def test_a_group_of_one_is_refused() -> None:
    with pytest.raises(RecipeError, match="answers_each is 1") as caught:
        build(Grpo, {"answers_each": 1}, "grpo").check(TuneSection())
    assert "8 is usual" in str(caught.value)


def test_a_row_without_a_prompt_is_refused(tiny_model) -> None:
    from sevenfold.chat.conversation import Conversation

    row = Row(Conversation.of([{"role": "assistant", "content": "yes"}]), "rows.jsonl:7")
    with pytest.raises(DataError, match="no prompt") as caught:
        build(Grpo, {}, "grpo").sequences(row, tiny_model.encoder())
    assert "rows.jsonl:7" in str(caught.value)
