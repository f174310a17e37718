"""Packing: every token stays, borders are kept, and passes stay within their budget."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import joined, pack, passes, split, unrolled


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


def pair(prompt: list[int], *answers: list[int], task: int = 0) -> TokenSequence:
    made = TokenSequence(list(prompt), [0.0] * len(prompt), task)
    for answer in answers:
        made.branch(answer, 1.0)
    made.columns = {"place": [float(place) for place in range(len(made))]}
    return made


def test_branches_by_hand() -> None:
    packed = pack([TokenSequence([1, 2], [0.0, 1.0], columns={"place": [0.0, 1.0]}), pair([7, 8], [4], [5, 6])])
    assert packed.bounds == [0, 2, 4, 5, 7]
    assert packed.stems == [-1, -1, 1, 1]
    assert packed.spans == [[0, 2, 0, 0], [2, 4, 0, 0], [4, 5, 2, 4], [5, 7, 2, 4]]
    assert packed.positions_1T.tolist() == [[0, 1, 0, 1, 2, 2, 3]]
    # Both answers are predicted from the prompt's last token.
    assert packed.labels_N.tolist() == [2, 4, 5, 6]
    assert packed.sources_N.tolist() == [0, 3, 3, 5]
    assert packed.branches_N.tolist() == [0, 1, 2, 2]
    assert packed.branches == 3
    assert packed.columns["place"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert packed.per_branch(torch.tensor([1.0, 2.0, 3.0, 4.0])).tolist() == [1.0, 2.0, 7.0]
    assert packed.of_branch("place").tolist() == [1.0, 2.0, 3.0]


def test_branches_without_a_stem_are_texts_of_their_own() -> None:
    packed = pack([TokenSequence([1, 2, 3, 4, 5], [1.0] * 5, branches=(0, 3))])
    assert packed.bounds == [0, 3, 5]
    assert packed.stems == []
    assert packed.labels_N.tolist() == [2, 3, 5]
    assert packed.sources_N.tolist() == [0, 1, 3]
    assert packed.branches_N.tolist() == [0, 0, 1]


def test_targets_read_at_their_own_place() -> None:
    packed = pack([TokenSequence([1, 2, 3], [1.0, 0.0, 1.0])], here=True)
    assert packed.sources_N.tolist() == [0, 2]
    assert packed.labels_N.tolist() == [1, 3]


def test_branches_say_what_each_text_alone_says(tiny_model) -> None:
    sequences = [pair([5, 6, 7], [8, 9], [10, 11, 12], task=1), pair([13, 14], [15]), pair([16, 17, 18, 19])]
    sequences[2].weights[1:] = [1.0] * 3
    forward = Forward(tiny_model.network(torch.float32), torch.float32)
    packed = pack(sequences)
    plain = unrolled(packed)
    assert plain.bounds == [0, 3, 7, 12, 18]
    assert torch.equal(plain.labels_N, packed.labels_N)
    with torch.no_grad():
        torch.testing.assert_close(forward(packed), forward(plain))
        alone = [forward(pack([text])) for sequence in sequences for text in sequence.texts()]
    # Those of one task lie together, the second document first.
    torch.testing.assert_close(forward(packed), torch.cat([alone[2], alone[3], alone[0], alone[1]]))
    assert unrolled(plain) is plain


def test_joined_passes_are_the_pass_of_all() -> None:
    sequences = [pair([7, 8], [4], [5, 6]), pair([1, 2, 3], [9], [9, 9])]
    whole, found = pack(sequences), joined([pack([one]) for one in sequences])
    for name, value in vars(whole).items():
        other = vars(found)[name]
        if name == "columns":
            assert torch.equal(value["place"], other["place"])
        else:
            assert torch.equal(value, other) if isinstance(value, torch.Tensor) else value == other
