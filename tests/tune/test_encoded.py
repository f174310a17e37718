"""Sequences come back from the disk as they were written; what is cut is cut in every text."""

from __future__ import annotations

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.encoded import cut


def pair() -> TokenSequence:
    made = TokenSequence([1, 2, 3], [0.0] * 3)
    made.branch([4, 5], 1.0)
    made.branch([6, 7, 8], 1.0)
    made.columns = {"place": [float(place) for place in range(8)]}
    return made


def test_cut_keeps_the_beginning_of_each_answer() -> None:
    found = cut(pair(), 5)
    assert found.ids == [1, 2, 3, 4, 5, 6, 7]
    assert found.branches == (3, 5)
    assert found.columns["place"] == [0, 1, 2, 3, 4, 5, 6]
    assert found.longest == 5
    assert cut(pair(), 6) == pair()


def test_cut_into_the_prompt_leaves_nothing_to_learn() -> None:
    assert cut(pair(), 3).supervised == 0


def test_cut_of_a_plain_text() -> None:
    assert cut(TokenSequence([1, 2, 3], [0.0, 1.0, 1.0], columns={"x": [1.0, 2.0, 3.0]}), 2) == TokenSequence(
        [1, 2], [0.0, 1.0], columns={"x": [1.0, 2.0]}
    )
