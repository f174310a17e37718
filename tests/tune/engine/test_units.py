"""A unit is all of a head, or of a neuron: without its rows and columns the network is the smaller one."""

from __future__ import annotations

import copy

import pytest
import torch

from sevenfold.errors import ModelError
from sevenfold.tune.engine import bases, units
from tests.tune.engine.architectures import ARCHITECTURES

IDS = torch.arange(5, 14)[None]


@torch.no_grad()
def without(network, groups, chosen):
    """A copy of a network in which the chosen units' rows and columns are zero."""
    made = copy.deepcopy(network)
    for group in groups:
        for piece in group.pieces:
            layer = made.get_submodule(piece.name)
            weight_OI = layer.weight.T if bases.is_transposed(layer) else layer.weight
            places = piece.places(torch.tensor(chosen), group.units)
            if piece.axis == "rows":
                weight_OI[places] = 0
            else:
                weight_OI[:, places] = 0
    return made


def test_heads_with_their_shared_keys_are_what_the_output_projection_adds_up() -> None:
    network = ARCHITECTURES["Llama"].build()
    (first, *_) = groups = units.heads(network)
    assert [group.units for group in groups] == [2, 2]
    given = []
    attention = network.model.layers[0].self_attn
    attention.o_proj.register_forward_pre_hook(lambda layer, inputs: given.append(inputs[0].detach()))
    with torch.no_grad():
        network(IDS)
        # Two queries share keys and values: of four heads of width 8 the second unit has the last two.
        expected = given[0][..., :16] @ attention.o_proj.weight[:, :16].T
        said = []
        small = without(network, [first], [1])
        small.model.layers[0].self_attn.o_proj.register_forward_hook(
            lambda layer, inputs, output: said.append((inputs[0], output))
        )
        small(IDS)
    torch.testing.assert_close(said[0][1], expected)
    assert not said[0][0][..., 16:].any()


@pytest.mark.parametrize("name", ["Llama", "Phi-3", "GPT-2", "OPT", "T5"])
def test_without_some_neurons_a_feed_forward_part_is_that_of_the_others(name) -> None:
    network = ARCHITECTURES[name].build()
    with torch.no_grad():
        for part, weight in network.named_parameters():
            if part.endswith(".bias"):
                weight.zero_()
    groups = units.neurons(network)
    chosen = [0, 3, 4]
    small = without(network, groups, chosen)
    for group in groups:
        *inward, outward = group.pieces
        given = []
        layer = network.get_submodule(outward.name)
        handle = layer.register_forward_pre_hook(lambda layer, inputs, given=given: given.append(inputs[0]))
        called = {"decoder_input_ids": IDS} if network.config.is_encoder_decoder else {}
        with torch.no_grad():
            network(IDS, **called)
            small_layer = small.get_submodule(outward.name)
            kept = [number for number in range(group.units) if number not in chosen]
            weight_OI = layer.weight.T if bases.is_transposed(layer) else layer.weight
            expected = given[0][..., kept] @ weight_OI[:, kept].T
            torch.testing.assert_close(small_layer(given[0]), expected)
        handle.remove()
        for piece in inward:
            held = small.get_submodule(piece.name)
            inner_OI = held.weight.T if bases.is_transposed(held) else held.weight
            assert not inner_OI[piece.places(torch.tensor(chosen), group.units)].any()
            zero = int((inner_OI == 0).all(1).sum())
            assert zero == len(chosen) * piece.copies


def test_scores_of_a_unit_are_the_sum_over_all_that_is_its() -> None:
    network = ARCHITECTURES["Llama"].build()
    for group in (*units.heads(network), *units.neurons(network)):
        for piece in group.pieces:
            scores_OI = network.get_submodule(piece.name).weight.detach().abs()
            sums = piece.sums(scores_OI, group.units)
            for unit in range(group.units):
                places = piece.places(torch.tensor([unit]), group.units)
                own = scores_OI[places] if piece.axis == "rows" else scores_OI[:, places]
                torch.testing.assert_close(sums[unit], own.sum())


def test_units_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ModelError, match=r"no layers q_proj(.|\n)*what: entries"):
        units.heads(ARCHITECTURES["GPT-2"].build())
    with pytest.raises(ModelError, match=r"no feed-forward part of linear layers(.|\n)*what: entries"):
        units.neurons(ARCHITECTURES["Mixtral"].build())
