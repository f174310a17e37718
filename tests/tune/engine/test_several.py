"""Several changes beside one layer: the plain computation of each segment, its gradients, and what has no meaning."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import ModelError
from sevenfold.tune.engine import routes
from sevenfold.tune.engine.lora import share_inputs
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.engine.routes import Following, Segment
from sevenfold.tune.engine.several import SeveralLinear, answer_as

TASKS = ["chat", "translate", "sum"]
FOUND = (Segment(0, 0, 5), Segment(2, 5, 6), Segment(0, 6, 9))
"""Task 1 has no token, and task 0 comes in two stretches."""


def layer(inputs=12, outputs=20, rank=3, same_start=False) -> SeveralLinear:
    made = SeveralLinear(nn.Linear(inputs, outputs), rank, 1.7, TASKS, same_start)
    made.requires_grad_(False)
    for task in TASKS:
        for weight in made.pair(task):
            nn.init.normal_(weight.requires_grad_(True), std=0.3)
    return made


def plain(part: SeveralLinear, x):
    """Each stretch of tokens through the base and its own pair, one behind the other."""
    flat = x.reshape(-1, x.shape[-1])
    pieces = []
    for segment in FOUND:
        down, up = part.pair(TASKS[segment.task])
        own = flat[segment.start : segment.end]
        pieces.append(part.base_layer(own) + 1.7 * (own @ down.t() @ up.t()))
    return torch.cat(pieces).view(*x.shape[:-1], -1)


class Branches(nn.Module):
    """Two layers behind one input, and one behind these."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = layer(), layer(12, 20, 2), layer(20, 7)

    def forward(self, x, call=SeveralLinear.__call__):
        return call(self.c, call(self.a, x) * call(self.b, x))


@pytest.mark.parametrize("shape", [(9, 12), (1, 9, 12)])
@pytest.mark.parametrize("shared", [False, True])
def test_outputs_and_gradients_are_those_of_each_stretch_alone(shape, shared) -> None:
    torch.manual_seed(0)
    network, x = Branches(), torch.randn(shape, requires_grad=True)
    if shared:
        share_inputs(network, lambda: network(torch.randn(1, 12)))
        assert network.a.group is network.b.group
    with Following(FOUND):
        found = network(x)
    expected = network(x, plain)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    upstream = torch.randn_like(expected)
    moving = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    ours = torch.autograd.grad(found, [x, *moving.values()], upstream, allow_unused=True)
    theirs = torch.autograd.grad(expected, [x, *moving.values()], upstream, allow_unused=True)
    for name, a, b in zip(["x", *moving], ours, theirs, strict=True):
        if ".translate." in name:
            assert a is None, name
            assert b is None, name
        else:
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
            assert abs(float((a - b).mean())) < 1e-5


def test_it_passes_autograds_own_check() -> None:
    torch.manual_seed(0)
    part = layer().double()
    part.requires_grad_(False)
    x = torch.randn(9, 12, dtype=torch.float64, requires_grad=True)
    with Following(FOUND):
        assert torch.autograd.gradcheck(part, (x,))


def test_bfloat16_stays_within_its_rounding() -> None:
    torch.manual_seed(0)
    part, x = layer(), torch.randn(9, 12)
    exact = plain(part, x).detach()
    part.base_layer.to(torch.bfloat16)
    with Following(FOUND):
        rounded = part(x.to(torch.bfloat16)).detach().float()
    assert (rounded - exact).abs().max() < 0.03 * exact.abs().max()


def test_without_a_word_all_tokens_are_of_the_task_that_answers() -> None:
    part, x = layer(), torch.randn(4, 12)
    for task in TASKS:
        answer_as(part, task)
        down, up = part.pair(task)
        expected = part.base_layer(x) + 1.7 * (x @ down.t() @ up.t())
        torch.testing.assert_close(part(x), expected)
        torch.testing.assert_close(part.merged()(x), expected)
    with pytest.raises(ModelError, match="no adapter for the task 'summ'") as caught:
        answer_as(part, "summ")
    assert caught.value.suggestion == "sum"


def test_all_may_begin_at_the_same_point() -> None:
    fresh = SeveralLinear(nn.Linear(12, 20), 3, 1.0, TASKS, same_start=True)
    apart = SeveralLinear(nn.Linear(12, 20), 3, 1.0, TASKS, same_start=False)
    assert torch.equal(fresh.pair("chat")[0], fresh.pair("sum")[0])
    assert not torch.equal(apart.pair("chat")[0], apart.pair("sum")[0])
    x = torch.randn(4, 12)
    assert torch.equal(fresh(x), fresh.base_layer(x))


def test_a_layer_that_reads_other_tokens_is_refused() -> None:
    with Following(FOUND), pytest.raises(ModelError, match="reads 4 tokens of a pass of 9"):
        layer()(torch.randn(4, 12))


def test_documents_of_one_task_lie_together_in_their_own_order() -> None:
    lengths, tasks = [3, 2, 4, 1], [1, 0, 1, 0]
    documents = [TokenSequence([n] * n, [0.0] + [1.0] * (n - 1), task) for n, task in zip(lengths, tasks, strict=True)]
    batch = pack(documents)
    assert batch.ids_1T[0].tolist() == [2, 2, 1, 3, 3, 3, 4, 4, 4, 4]
    assert batch.tasks == [0, 0, 1, 1]
    assert routes.segments(batch) == (Segment(0, 0, 3), Segment(1, 3, 10))
    assert batch.to("cpu").tasks == batch.tasks


def test_segments_hold_inside_the_block_and_in_what_is_computed_again() -> None:
    assert routes.current() is None
    with Following(FOUND):
        _, later = routes.again()
        with Following(None):
            assert routes.current() is None
        assert routes.current() == FOUND
    assert routes.current() is None
    for _ in range(2):
        with later:
            assert routes.current() == FOUND
