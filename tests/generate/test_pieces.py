from __future__ import annotations

import pytest

from sevenfold.generate.pieces import Pieces, overlap, text_of

TEXTS = ["plain words", "سلام دنیا، حال شما چطور است؟", "🦊👩‍👩‍👧 é 𓀀!", "mixed سلام 🦊 end", "\n\n  spaces  "]


@pytest.fixture
def encoder(tiny_model):
    return tiny_model.encoder()


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_join_to_the_text_and_never_show_half_a_character(encoder, text):
    pieces = Pieces(encoder)
    ids = encoder.encode(text)
    given = [pieces.add(token) for token in ids] + [pieces.finish()]
    assert "".join(given) == pieces.text == text == encoder.decode(ids)
    assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in given)


def test_a_character_of_several_tokens_comes_with_its_last_one(encoder):
    ids = encoder.encode("🦊")
    assert len(ids) == 4
    pieces = Pieces(encoder)
    assert [pieces.add(token) for token in ids] == ["", "", "", "🦊"]


def test_a_character_that_the_limit_cuts_is_left_out(encoder):
    ids = encoder.encode("a🦊")[:3]
    assert encoder.decode(ids) == "a\N{REPLACEMENT CHARACTER}"
    assert text_of(encoder, ids).text == "a"


def test_a_stop_token_ends_the_text_and_is_not_shown(encoder):
    pieces = text_of(encoder, [*encoder.encode("yes"), 2, *encoder.encode("more")])
    assert (pieces.text, pieces.ended, pieces.ids[-1]) == ("yes", True, 2)


def test_a_stop_text_over_several_tokens_never_leaks(encoder):
    ids = encoder.encode("one two ### Human: three")
    pieces = Pieces(encoder, stop=["### Human:"])
    given = [pieces.add(token) for token in ids if not pieces.ended]
    assert "".join(given) == "one two "
    assert pieces.ended
    assert len(pieces.ids) < len(ids)


def test_what_only_began_like_a_stop_text_is_given_back(encoder):
    pieces = text_of(encoder, encoder.encode("one ### two ##"), stop=["###!"])
    assert (pieces.text, pieces.ended) == ("one ### two ##", False)


def test_the_first_of_several_stop_texts_wins(encoder):
    assert text_of(encoder, encoder.encode("a b c d"), stop=["d", "b"]).text == "a "


@pytest.mark.parametrize(("text", "expected"), [("ab#", 1), ("ab##", 2), ("ab", 0), ("ab###x", 0)])
def test_overlap_is_the_longest_end_that_begins_the_stop_text(text, expected):
    assert overlap(text, "###") == expected
