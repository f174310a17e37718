"""Words: the fast way gives what the two expressions give."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from sevenfold.folding import folded
from sevenfold.prepare.overlap.words import LETTERS, WORD, words_of

MIXED = st.text(
    st.one_of(st.characters(exclude_categories=("Cs",)), st.sampled_from("aB1 _.\u200cيكى۴٤ّـ\ufdd0漢あไ̈İß"))
)


def slowly(text: str) -> list[str]:
    return list(WORD.findall(folded(text).translate(LETTERS)))


@given(MIXED)
def test_words_are_those_of_the_expression(text):
    assert words_of(text) == slowly(text)


def test_every_character():
    for start in range(0, sys.maxunicode, 4096):
        # Between letters, so that a character that parts words is told from one that is gone.
        text = "".join(f"a{chr(code)}b " for code in range(start, start + 4096) if not 0xD800 <= code < 0xE000)
        assert words_of(text) == slowly(text)


def test_every_character_without_a_script_that_has_no_spaces():
    for code in range(0, 0x3000):
        assert words_of(f"a{chr(code)}b {chr(code)}") == slowly(f"a{chr(code)}b {chr(code)}")
