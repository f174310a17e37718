"""Deltas on parts of a weight equal the plain expression, and touch nothing else."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F
from transformers.pytorch_utils import Conv1D

from sevenfold.errors import ModelError
from sevenfold.tune.engine import bases, sparse, sparse_file
from sevenfold.tune.engine.sparse import SparseLinear

PLACES = {"entries": [3, 17, 18, 60, 95], "rows": [0, 4], "columns": [1, 2, 9]}
AXES = ["entries", "rows", "columns"]


def made(axis, kind=nn.Linear, dtype=torch.float32, learnt=True) -> SparseLinear:
    torch.manual_seed(0)
    base = (kind(12, 8) if kind is nn.Linear else kind(8, 12)).to(dtype).requires_grad_(False)
    layer = SparseLinear(base, axis, torch.tensor(PLACES[axis]))
    if learnt:
        nn.init.normal_(layer.deltas, std=0.3)
    return layer


def plain(layer: SparseLinear, deltas: torch.Tensor) -> torch.Tensor:
    """The whole weight with deltas put in by the plainest means."""
    weight = bases.dense(layer.base_layer, torch.float32).clone()
    places = layer.places.long()
    if layer.axis == "entries":
        return weight.flatten().index_add(0, places, deltas).view(weight.shape)
    return weight.index_add(0 if layer.axis == "rows" else 1, places, deltas)


@pytest.mark.parametrize("kind", [nn.Linear, Conv1D])
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("few", [0.0, 1.0])
def test_outputs_and_gradients_are_those_of_the_plain_expression(axis, kind, few, monkeypatch) -> None:
    monkeypatch.setattr(sparse, "FEW", {torch.float32: few})
    layer = made(axis, kind)
    x, dy = torch.randn(3, 5, 12), torch.randn(3, 5, 8)
    one, other = (x.clone().requires_grad_() for _ in range(2))
    deltas = layer.deltas.detach().clone().requires_grad_()
    y = layer(one)
    expected = F.linear(other, plain(layer, deltas), layer.base_layer.bias)
    torch.testing.assert_close(y, expected)
    y.backward(dy)
    expected.backward(dy)
    torch.testing.assert_close(one.grad, other.grad)
    torch.testing.assert_close(layer.deltas.grad, deltas.grad)
    assert layer.base_layer.weight.grad is None


@pytest.mark.parametrize("axis", AXES)
def test_gradients_in_double_precision(axis) -> None:
    """Finite differences, with the layer's float32 deltas replaced by an expression's."""
    layer = made(axis)
    x = torch.randn(4, 12)
    direction = torch.randn_like(layer.deltas)
    layer(x).square().sum().backward()
    weight, bias = plain(layer, layer.deltas.detach()).double(), layer.base_layer.bias.double()
    moved = (plain(layer, layer.deltas.detach() + direction) - plain(layer, layer.deltas.detach())).double()
    step = 1e-6
    ends = [F.linear(x.double(), weight + sign * step * moved, bias).square().sum() for sign in (1, -1)]
    assert float((layer.deltas.grad * direction).sum()) == pytest.approx(
        float(ends[0] - ends[1]) / (2 * step), rel=1e-4
    )


@pytest.mark.parametrize("kind", [nn.Linear, Conv1D])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("axis", AXES)
def test_merged_all_other_weights_keep_their_bits(axis, dtype, kind) -> None:
    layer = made(axis, kind, dtype)
    merged = layer.merged()
    before, after = layer.base_weight(), bases.dense(merged, dtype)
    assert after.dtype == dtype
    moves = torch.zeros(8, 12, dtype=torch.bool)
    places = layer.places.long()
    if axis == "entries":
        moves.view(-1)[places] = True
    else:
        moves.index_fill_(0 if axis == "rows" else 1, places, True)
    assert torch.equal(before[~moves], after[~moves])
    assert (before[moves] != after[moves]).any()
    x = torch.randn(4, 12, dtype=dtype)
    torch.testing.assert_close(merged(x), layer(x))


def test_gathered_gradients_need_no_whole_product() -> None:
    torch.manual_seed(0)
    x, dy, places = torch.randn(300, 40), torch.randn(300, 30), torch.randperm(1200)[:50]
    expected = (dy.t() @ x).flatten()[places]
    torch.testing.assert_close(sparse.gathered(x, dy, places), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(sparse.gathered(x, dy, places.int()), expected, rtol=1e-4, atol=1e-4)


def test_only_the_input_is_kept_for_the_backward_pass() -> None:
    layer, kept = made("entries"), []
    x = torch.randn(6, 12, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        layer(x)
    assert sorted(tensor.numel() for tensor in kept) == [len(layer.places), x.numel()]


def test_a_compiled_block_still_calls_the_watch() -> None:
    layer, seen = made("entries"), []
    block = nn.Sequential(layer, nn.ReLU())
    x = torch.randn(6, 12)
    block(x).sum().backward()
    expected, layer.deltas.grad = layer.deltas.grad, None
    torch._dynamo.reset()
    block.compile(dynamic=True, backend="aot_eager")
    block(x).sum().backward()
    torch.testing.assert_close(layer.deltas.grad, expected)
    layer.watch = lambda x_TI, dy_TO: seen.append((x_TI.shape, dy_TO.shape))
    block(x).sum().backward()
    assert seen == [((6, 12), (6, 8))]


def test_indices_are_as_small_as_the_weight_allows() -> None:
    assert made("entries").places.dtype == torch.int32
    assert sparse.index_type(2**31) == torch.int64


class Network(nn.Module):
    def __init__(self, outputs: int = 8) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(12, outputs), nn.Linear(outputs, 12)


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    network = Network()
    sparse.wrap(network, "one", "entries", torch.tensor([3, 50]))
    nn.init.normal_(sparse.wrap(network, "two", "columns", torch.tensor([2])).deltas)
    sparse_file.save(network, tmp_path, "tiny", {"method": "test"})
    return network, tmp_path


def test_what_is_saved_comes_back(saved) -> None:
    network, folder = saved
    again = Network()
    sparse_file.load(again, folder)
    assert json.loads((folder / "deltas.json").read_text())["method"] == "test"
    for name, layer in sparse.layers(network).items():
        other = again.get_submodule(name)
        assert torch.equal(layer.places, other.places)
        assert torch.equal(layer.deltas, other.deltas)
        assert layer.axis == other.axis
    assert [name for name, weight in again.named_parameters() if weight.requires_grad] == ["one.deltas", "two.deltas"]


def test_another_networks_file_is_refused_with_both_shapes(saved) -> None:
    with pytest.raises(ModelError, match=r"one has 9 x 12 weights, the file \[8, 12\]"):
        sparse_file.load(Network(9), saved[1])
    with pytest.raises(ModelError, match="no linear layer one"):
        sparse_file.load(nn.Sequential(nn.Linear(12, 8)), saved[1])


@pytest.mark.parametrize("places", [[3, 3], [-1, 3], [3, 96]])
def test_places_that_are_none_are_refused(saved, places) -> None:
    tensors = load_file(saved[1] / "deltas.safetensors")
    save_file({**tensors, "one.places": torch.tensor(places)}, saved[1] / "deltas.safetensors")
    with pytest.raises(ModelError, match="one lacks places from 0 to 96, each once"):
        sparse_file.load(Network(), saved[1])


def test_a_file_of_another_format_is_refused(saved) -> None:
    settings = json.loads((saved[1] / "deltas.json").read_text())
    (saved[1] / "deltas.json").write_text(json.dumps({**settings, "format": "other"}))
    with pytest.raises(ModelError, match="has the format 'other'"):
        sparse_file.load(Network(), saved[1])


def test_quantised_layers_are_refused() -> None:
    from sevenfold.tune.engine.int8 import Int8Linear

    with pytest.raises(TypeError, match="plain linear layers, not on Int8Linear"):
        SparseLinear(Int8Linear(nn.Linear(4, 4)), "rows", torch.tensor([0]))
