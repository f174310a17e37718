"""The ways that need nothing but the text: what changes, what never does, and the same again for the same chance."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.prepare.augment import AUGMENTERS
from sevenfold.prepare.augment.typos import neighbours

PLAIN = ("typos", "characters", "words", "sentences", "case_digits")
ENGLISH = "Please reset the password of my account. It was locked 3 days ago."
PERSIAN = "لطفاً رمز کاربری مرا عوض کنید. کتاب‌های من ۳ روز است که نمی‌آیند."


def way(name: str, **fields):
    return AUGMENTERS.find(name)(**fields)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("text", [ENGLISH, PERSIAN])
def test_a_text_changes_and_the_same_again(name, text):
    found = [way(name).change(text, Random(seed)) for seed in range(20)]
    assert found == [way(name).change(text, Random(seed)) for seed in range(20)]
    assert sum(one not in (None, text) for one in found) >= 18
    assert len(set(found)) > 1


@pytest.mark.parametrize("name", PLAIN)
@given(text=st.text(max_size=80), seed=st.integers(0, 1000))
def test_any_text_is_changed_or_left(name, text, seed):
    found = way(name).change(text, Random(seed))
    assert found is None or isinstance(found, str)


@pytest.mark.parametrize("name", PLAIN)
@given(seed=st.integers(0, 1000))
def test_placeholders_stay(name, seed):
    found = way(name).change("Write to [EMAIL_1] and call. The number is [PHONE_12] today.", Random(seed)) or ""
    if name not in ("words", "sentences"):
        assert "[EMAIL_1]" in found
        assert "[PHONE_12]" in found
    assert all(word.strip(".") in ("[EMAIL_1]", "[PHONE_12]") for word in found.split() if "[" in word)


@pytest.mark.parametrize(
    ("letter", "around"),
    [("g", "tyfhvb"), ("q", "wa"), ("p", "ol"), ("م", "خحنکو"), ("ض", "صش"), ("گ", "جچک")],
)
def test_neighbours_are_the_keys_around(letter, around):
    """By hand, from the printed layouts of QWERTY and ISIRI 9147."""
    assert set(neighbours()[letter]) == set(around)
    assert all(letter in neighbours()[other] for other in neighbours()[letter])


def test_the_share_is_the_number_of_slips():
    text = "abcdefghij" * 10
    for slips, lost in ((("omission",), 5), (("doubling",), -5), (("neighbour",), 0)):
        found = way("typos", share=0.05, slips=slips).change(text, Random(1))
        assert len(text) - len(found) == lost
    found = way("typos", share=0.05, slips=["neighbour"]).change(text, Random(1))
    assert sum(one != other for one, other in zip(text, found, strict=True)) == 5
    found = way("typos", slips=["transposition"]).change("ab", Random(1))
    assert found in ("ba", neighbours()["b"][0] and found)


def test_noise_in_words_by_hand():
    def words(noise, text):
        return {way("words", noises=[noise], share=0.01).change(text, Random(seed)) for seed in range(40)}

    assert words("swap", "one two three") == {"two one three", "one three two"}
    assert words("drop", "one two") == {"one", "two"}
    assert words("join", "one two three") == {"onetwo three", "one twothree"}
    assert words("split", "four by") == {"fo ur by"}
    assert words("half_space", "کتاب‌ها خوب") == {"کتابها خوب", "کتاب ها خوب"}
    assert words("half_space", "no such thing") == {None}


def test_sentences_by_hand():
    found = {way("sentences", noises=["order"]).change("One. Two? Three!", Random(seed)) for seed in range(60)}
    assert found == {"Two? One. Three!", "Three! Two? One.", "One. Three! Two?"}
    dropped = {way("sentences", noises=["drop"]).change("سلام. خوبی؟", Random(seed)) for seed in range(20)}
    assert dropped == {"سلام.", "خوبی؟"}
    assert way("sentences").change("Only one.", Random(1)) is None


def test_case_digits_and_letters_by_hand():
    def clothes(kind, text):
        return {way("case_digits", kinds=[kind]).change(text, Random(seed)) for seed in range(40)}

    assert clothes("case", "Ab c") == {"ab c", "AB C", "Ab C"}
    assert clothes("digits", "۱۲") == {"12", "١٢"}
    assert clothes("letters", "یک") == {"يك"}
    assert clothes("letters", "abc") == {None}
    kinds = Counter(way("case_digits").change("A1", Random(seed)) for seed in range(200))
    assert set(kinds) == {"a1", "A۱", "A١"}


def test_an_unknown_way_is_told_with_the_known():
    from tests.prepare.conftest import section_of

    with pytest.raises(Exception, match="typo") as caught:
        section_of(source="rows.jsonl", training=[{"augment": {"ways": ["typo"]}}])
    assert "typos" in str(caught.value)
