"""Shingles as numbers: the same sets as those of the pieces themselves."""

from __future__ import annotations

import numpy
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.prepare.overlap.shingles import (
    CHARACTERS,
    LONG,
    WORDS,
    character_shingles,
    signed,
    similarity,
    texts_of,
    word_shingles,
)
from tests.prepare.overlap.texts import ENGLISH, text

WORD = st.text(st.sampled_from("abیخ漢😀é"), min_size=1, max_size=6)
TEXTS = st.lists(st.lists(WORD, max_size=12), max_size=6)


def pieces(items, width):
    """Every ``width`` items in a row; of fewer all."""
    return {tuple(items[start : start + width]) for start in range(max(1, len(items) - width + 1))} if items else set()


def plain(words, width):
    """The pieces of a text: of its words, or of its characters."""
    return pieces(words, width) if width == WORDS else pieces(" ".join(words), width)


@given(TEXTS)
def test_two_texts_share_as_many_numbers_as_pieces(texts):
    for make, width in ((word_shingles, WORDS), (character_shingles, CHARACTERS)):
        sets = make(texts).sets()
        expected = [plain(words, width) for words in texts]
        assert list(map(len, sets)) == list(map(len, expected))
        for one, here in zip(sets, expected, strict=True):
            for other, there in zip(sets, expected, strict=True):
                assert len(one & other) == len(here & there)


@given(TEXTS)
def test_a_text_has_the_same_shingles_whoever_stands_beside_it(texts):
    for make in (word_shingles, character_shingles):
        assert make(texts).sets() == [make([words]).sets()[0] for words in texts]


def test_pieces_that_differ_in_order_differ():
    one, other = word_shingles([["ab", "cd", "ef"], ["ba", "cd", "ef"]]).sets()
    assert not one & other
    assert len(character_shingles([["abcdecba"]]).sets()[0]) == 4


def test_numbers_are_the_same_in_every_process():
    assert word_shingles([["a", "b"]]).numbers.tolist() == [5128659408493737612]
    assert character_shingles([["گربه", "سفید"]]).numbers.tolist()[0] == 1825702153156508735


@given(TEXTS, TEXTS)
def test_similarity_is_that_of_the_pieces(ones, others):
    for one in ones:
        for other in others:
            here, there = plain(one, CHARACTERS), plain(other, CHARACTERS)
            expected = len(here & there) / len(here | there) if here | there else 1.0
            assert similarity(one, other) == expected


def test_all_at_once_gives_the_sets_that_one_at_a_time_gives():
    said = [text(number, words, ENGLISH).split() for number, words in enumerate((5, 39, 40, 90))]
    for found, words in zip(texts_of(said), said, strict=True):
        assert found.by_words == word_shingles([words]).sets()[0]
        assert found.by_characters == character_shingles([words]).sets()[0]


def test_a_text_near_the_border_is_looked_for_twice():
    said = [["w"] * count for count in (0, 10, LONG - 5, LONG)]
    numbers, shingles = signed(said, 0.8)
    assert numbers == [1, 2, 2, 3]
    assert len(shingles.starts) == 5
    assert shingles.starts[-1] == len(shingles.numbers)
    assert shingles.numbers.dtype == numpy.uint64
