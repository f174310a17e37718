"""Texts of a label are drawn together, and the regression behind the last step is the exact one."""

from __future__ import annotations

import math

import pytest
import torch

from sevenfold.errors import DataError, RecipeError
from sevenfold.record import Entry
from sevenfold.tune.engine.embeddings import logistic, supervised
from sevenfold.tune.objectives.setfit import Setfit
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.tune.objectives import labelled
from tests.tune.objectives.test_verbalize import mood


def test_the_loss_is_its_formula() -> None:
    vectors = torch.randn(5, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels = [0, 1, 0, 0, 2]
    expected = []
    for i in range(5):
        mates = [j for j in range(5) if j != i and labels[j] == labels[i]]
        total = sum(math.exp(float(vectors[i] @ vectors[a]) / 0.5) for a in range(5) if a != i)
        logs = [math.log(math.exp(float(vectors[i] @ vectors[p]) / 0.5) / total) for p in mates]
        expected.append(-sum(logs) / len(logs) if logs else 0.0)
    found = supervised(vectors, torch.tensor(labels), 0.5)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_the_loss_by_hand() -> None:
    # Two of one label at right angles to one of another: log(1 + e^-1) for the pair, nothing for the third.
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    expected = torch.tensor([math.log(1 + math.exp(-1)), math.log(1 + math.exp(-1)), 0.0])
    torch.testing.assert_close(supervised(vectors, torch.tensor([0, 0, 1]), 1.0), expected)


def test_the_regression_is_the_minimum() -> None:
    generator = torch.Generator().manual_seed(2)
    vectors = torch.randn(30, 3, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (30,), generator=generator)
    weight, bias = logistic(vectors, labels, 3, 1.0)
    # At the minimum of |W|^2 / 2 + sum of cross-entropies: W = sum (onehot - p) v and sum (onehot - p) = 0.
    gap = torch.nn.functional.one_hot(labels, 3) - (vectors @ weight.t() + bias).softmax(-1)
    torch.testing.assert_close(weight, gap.t() @ vectors, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(gap.sum(0), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-5)


def test_it_learns_a_handful_of_rows(tiny_encoder, environment, tmp_path) -> None:
    dataset = labelled.dataset(mood, tmp_path / "1-prepare")
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir()
    section = {"objective": "setfit", "method": "full", "batch": 12, "steps": 10, "learning_rate": 1e-3}
    tuned = tune(TuneSection.model_validate(section), dataset, tiny_encoder, environment, entry)
    network = tuned.network(tiny_encoder, torch.float32)
    encoder = tiny_encoder.encoder()
    engine = tuned.engine(network, tiny_encoder, encoder)
    rows = list(dataset.rows("test"))
    from sevenfold.generate.engine import Sampling

    answers = engine.generate([encoder.prompt(row.conversation.prompt()) for row in rows], Sampling())
    assert [answer.text for answer in answers] == [row.conversation.reference() for row in rows]


def test_what_it_cannot_learn_is_refused(tiny_encoder) -> None:
    with pytest.raises(DataError, match="no label 'ugly'"):
        Setfit(labels=("bad", "good")).sequences(labelled.row(1, "the data", "ugly"), tiny_encoder.encoder())
    with pytest.raises(RecipeError, match="no other to be drawn to"):
        Setfit().check(TuneSection(batch=1))
