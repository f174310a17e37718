"""Texts laid into sheets: all tokens are there, what several begin with once."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from sevenfold.generate.paths import Sheets, behind, blocks_of, common, cut, joined, place


def laid(texts, needed, tokens, most=None, **options):
    """All sheets, and what each text is along its path."""
    sheets, found, held, made = Sheets(texts, needed, tokens, **options), {}, [], []
    while sheets.left:
        sheet = sheets.take(most)
        there = [*held, *zip(sheet.ids, sheet.positions, strict=True)]
        assert len(held) == sheet.held
        for text, path in zip(sheet.texts, sheet.paths, strict=True):
            found[text] = [one for low, high in path for one in there[low:high]]
            # What is asked of a text was computed in its own sheet.
            assert place(path, needed[text]) >= sheet.held
        for stretch in sheet.stretches:
            before = sum(high - low for low, high in stretch.before)
            assert sheet.positions[stretch.start : stretch.end] == [
                *range(before, before + stretch.end - stretch.start)
            ]
        held = [one for low, high in sheet.carry for one in there[low:high]]
        made.append(sheet)
    return made, found


@pytest.mark.parametrize("tokens", [1, 20, 60, 1000])
@pytest.mark.parametrize("shortest", [1, 4])
def test_every_text_is_whole_whatever_is_shared(tokens, shortest) -> None:
    draws = random.Random(tokens)
    stems = [[draws.randrange(3) for _ in range(length)] for length in (0, 5, 12, 30)]
    texts = [draws.choice(stems) + [draws.randrange(3) for _ in range(draws.randrange(1, 9))] for _ in range(60)]
    needed = [draws.randrange(len(text)) for text in texts]
    sheets, found = laid(texts, needed, tokens, shortest=shortest)
    assert [found[index] for index in range(60)] == [[*zip(text, range(len(text)), strict=True)] for text in texts]
    assert all(len(sheet.ids) <= tokens or len(sheet.stretches) == 1 for sheet in sheets)


def test_a_common_beginning_is_there_once_over_all_sheets() -> None:
    stem = list(range(100))
    texts = [[*stem, 200 + number, 300] for number in range(40)]
    sheets, _ = laid(texts, [101] * 40, 60)
    assert len(sheets) > 1
    assert sum(len(sheet.ids) for sheet in sheets) == 100 + 40 * 2


def test_a_beginning_within_a_beginning() -> None:
    texts = [[*range(20), *([50 + context] * 10), choice] for context in range(3) for choice in range(90, 94)]
    sheets, _ = laid(texts, [29] * 12, 1000)
    assert [len(sheet.ids) for sheet in sheets] == [20 + 3 * (10 + 4)]


def test_short_beginnings_are_not_shared() -> None:
    sheets, _ = laid([[1, 2, 3], [1, 2, 4]], [0, 0], 100)
    assert len(sheets[0].ids) == 6


def test_a_state_that_is_asked_for_is_computed_again_behind_a_border() -> None:
    text = list(range(30))
    sheets, found = laid([text, text, text], [10, 10, 29], 30, most=1)
    assert [len(sheet.ids) for sheet in sheets] == [30, 20, 1]
    assert len(found[2]) == 30


def test_as_many_texts_as_there_are_places() -> None:
    texts = [[number] * 5 for number in range(10)]
    sheets, _ = laid(texts, [4] * 10, 1000, most=4)
    assert [len(sheet.texts) for sheet in sheets] == [4, 4, 2]


def test_ranges() -> None:
    path = [(0, 4), (10, 12), (20, 30)]
    assert cut(path, 5) == [(0, 4), (10, 11)]
    assert cut(path, 0) == []
    assert behind(path, 5) == [(11, 12), (20, 30)]
    assert behind(path, 0) == path
    assert [place(path, index) for index in (0, 3, 4, 6, 15)] == [0, 3, 10, 20, 29]
    assert joined([(0, 4), (4, 6), (7, 8)]) == [(0, 6), (7, 8)]
    with pytest.raises(IndexError):
        place(path, 16)
    for first, second in pairwise([[], [1], [1, 2], [1, 2, 3], [1, 3, 3], [2]]):
        assert common(first, second) == next(
            (at for at, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]),
            min(len(first), len(second)),
        )


def test_blocks_have_every_stretch_with_what_it_sees() -> None:
    draws = random.Random(2)
    texts = [[*range(20), *([50 + draws.randrange(3)] * 10), *range(draws.randrange(9))] for _ in range(30)]
    sheet = Sheets(texts, [0] * 30, 1000).take()
    for most in (1, 12, 50, 1000):
        blocks = blocks_of(sheet, most)
        assert [one for block in blocks for one in block.stretches] == sheet.stretches
        for block in blocks:
            places = [place for low, high in block.seen for place in range(low, high)]
            assert places == sorted(set(places))
            assert places[-(block.end - block.start) :] == [*range(block.start, block.end)]
            for stretch in block.stretches:
                path = [*stretch.before, (stretch.start, stretch.end)]
                columns = [column for low, high in block.columns(path) for column in range(low, high)]
                assert [places[column] for column in columns] == [p for low, high in path for p in range(low, high)]
            assert len(block.stretches) == 1 or block.end - block.start <= most
    assert len(blocks_of(sheet, 1000)) == 1
