"""Documents as rectangles: little padding, and each row is where it belongs."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.engine.padded import PADDING, Padded, one_by_one, padding, rectangle, rectangles
from sevenfold.tune.engine.passes import pack


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=40))
def test_every_document_is_in_one_rectangle_with_little_padding(sizes) -> None:
    groups = rectangles(sizes)
    assert sorted(index for group in groups for index in group) == list(range(len(sizes)))
    assert all(padding([sizes[index] for index in group]) <= PADDING for group in groups)


def test_equal_documents_share_one_rectangle() -> None:
    assert rectangles([(5,)] * 4) == [[0, 1, 2, 3]]
    assert rectangles([(3,), (30,), (29,)]) == [[1, 2], [0]]
    assert one_by_one([(5,)] * 3) == [[0], [1], [2]]


def test_padding_is_the_share_that_is_not_real() -> None:
    assert padding([(4,), (2,)]) == pytest.approx(2 / 8)
    assert padding([(4, 1), (2, 3)]) == pytest.approx(4 / 14)


def test_a_rectangle_is_padded_at_the_right_and_masked() -> None:
    ids, mask = rectangle([torch.tensor([5, 6, 7]), torch.tensor([8])], pad=9)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert mask is not None
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert rectangle([torch.tensor([5]), torch.tensor([8])], pad=9)[1] is None


@pytest.mark.parametrize("grouping", [rectangles, one_by_one])
def test_states_come_back_in_the_order_of_the_pass(grouping) -> None:
    class Echo:
        """A trunk whose states are the ids."""

        def __call__(self, input_ids, use_cache, attention_mask=None):
            self.last_hidden_state = input_ids[..., None].float()
            return self

    documents = [[10, 11, 12], [20, 21, 22, 23, 24, 25], [30, 31], [40, 41, 42, 43, 44]]
    batch = pack([TokenSequence(ids, [0.0] + [1.0] * (len(ids) - 1)) for ids in documents])
    states = Padded(Echo(), 0, grouping)(batch)
    assert states[:, 0].tolist() == [token for ids in documents for token in ids[:-1]]
