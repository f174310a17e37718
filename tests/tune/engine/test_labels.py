"""The losses of labels against their formulae, worked by hand, and against torch."""

import math

import pytest
import torch
from torch.nn import functional

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.engine import labels
from sevenfold.tune.engine.passes import pack

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 3.0], [0.0, 1.0, 0.0]])
TRUE = torch.tensor([0, 1, 2])


def test_softmax_by_hand() -> None:
    # p of the first is e^2 / (e^2 + 1 + e^-1) = 0.84379.
    p = math.exp(2) / (math.exp(2) + 1 + math.exp(-1))
    assert float(labels.softmax_losses(LOGITS, TRUE)[0]) == pytest.approx(-math.log(p))
    assert float(labels.softmax_losses(LOGITS, TRUE, 2.0)[0]) == pytest.approx(-((1 - p) ** 2) * math.log(p), rel=1e-5)


def test_softmax_equals_torchs_cross_entropy() -> None:
    expected = functional.cross_entropy(LOGITS, TRUE, reduction="none")
    assert torch.allclose(labels.softmax_losses(LOGITS, TRUE), expected)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_focal_loss_is_as_it_is_written(gamma) -> None:
    p = LOGITS.softmax(-1)[range(3), TRUE]
    assert torch.allclose(labels.softmax_losses(LOGITS, TRUE, gamma), -((1 - p) ** gamma) * p.log(), atol=1e-6)


def test_sigmoid_equals_torchs_binary_cross_entropy() -> None:
    hot = torch.tensor([[1.0, 0, 1], [0, 0, 0], [0, 1, 1]])
    positive = torch.tensor([2.0, 1.0, 0.5])
    for weights in (None, positive):
        expected = functional.binary_cross_entropy_with_logits(LOGITS, hot, pos_weight=weights, reduction="none")
        assert torch.allclose(labels.sigmoid_losses(LOGITS, hot, 0.0, weights), expected.mean(-1))
    q = torch.where(hot > 0, LOGITS.sigmoid(), 1 - LOGITS.sigmoid())
    assert torch.allclose(labels.sigmoid_losses(LOGITS, hot, 2.0), (-((1 - q) ** 2) * q.log()).mean(-1), atol=1e-6)


def test_costs_by_hand() -> None:
    costs = torch.tensor([[0.0, 1.0], [10.0, 0.0]])
    logits = torch.tensor([[math.log(3.0), 0.0]])  # probabilities 3/4 and 1/4
    assert labels.expected_costs(logits, torch.tensor([0]), costs).tolist() == pytest.approx([0.25])
    assert labels.expected_costs(logits, torch.tensor([1]), costs).tolist() == pytest.approx([7.5])
    # To say 0 costs 1/4 x 10, to say 1 costs 3/4: the likelier label is the dearer one.
    assert labels.cheapest(logits.softmax(-1), costs).tolist() == [1]


def test_what_texts_have_in_a_pass() -> None:
    sequences = [
        TokenSequence([5, 6, 7], [0.0, 2.0, 2.0], columns={"label": [3.0] * 3}),
        TokenSequence([8, 9], [0.0, 1.0], columns={"label": [1.0] * 2}),
    ]
    batch = pack(sequences, here=True)
    states = torch.tensor([[1.0, 3.0], [3.0, 5.0], [7.0, 9.0]])
    assert labels.means_of_texts(states, batch).tolist() == [[2.0, 4.0], [7.0, 9.0]]
    assert labels.at_texts(batch.columns["label"], batch).tolist() == [3.0, 1.0]
    assert labels.at_texts(batch.weights_N, batch).tolist() == [2.0, 1.0]
    logits = torch.tensor([0.3, -0.2, 5.0], requires_grad=True)
    found = labels.softmax_of_texts(logits, batch)
    expected = torch.cat([torch.log_softmax(logits[:2], 0), torch.log_softmax(logits[2:], 0)])
    assert torch.allclose(found, expected)
    (ours,) = torch.autograd.grad((found * torch.tensor([1.0, 2.0, 3.0])).sum(), logits, retain_graph=True)
    (theirs,) = torch.autograd.grad((expected * torch.tensor([1.0, 2.0, 3.0])).sum(), logits)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_a_head_begins_the_same_everywhere() -> None:
    assert torch.equal(labels.Head(8, 3).weight, labels.Head(8, 3).weight)
    assert 0.01 < float(labels.Head(64, 40).weight.detach().std()) < 0.03
