"""Packing: every token stays, borders are kept, and passes stay within their budget."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.engine.passes import pack, passes, split


def test_pack_by_hand() -> None:
    packed = pack([TokenSequence([7, 8, 9], [1.0, 0.0, 2.0]), TokenSequence([4, 5], [0.0, 1.0])])
    assert packed.ids_1T.tolist() == [[7, 8, 9, 4, 5]]
    assert packed.positions_1T.tolist() == [[0, 1, 2, 0, 1]]
    assert packed.bounds == [0, 3, 5]
    # The first token of a document has nothing before it and is no target, whatever its weight.
    assert packed.labels_N.tolist() == [9, 5]
    assert packed.sources_N.tolist() == [1, 3]
    assert packed.weights_N.tolist() == [2.0, 1.0]
    assert packed.weight == 3.0
    assert packed.tokens == 5


@given(lengths=st.lists(st.integers(1, 50), max_size=30), budget=st.integers(1, 60))
def test_split_places_each_once_within_the_budget(lengths: list[int], budget: int) -> None:
    groups = split(lengths, budget)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    assert all(group == sorted(group) for group in groups)
    assert all(len(group) == 1 or sum(lengths[index] for index in group) <= budget for group in groups)


def test_the_weight_of_a_step_does_not_depend_on_its_passes() -> None:
    sequences = [TokenSequence(list(range(n)), [0.0] + [1.0] * (n - 1)) for n in (3, 9, 5, 2)]
    whole, parts = passes(sequences, 100), passes(sequences, 9)
    assert len(whole) == 1
    assert len(parts) > 1
    assert sum(part.weight for part in parts) == whole[0].weight
    assert torch.equal(whole[0].to("cpu").ids_1T, whole[0].ids_1T)
