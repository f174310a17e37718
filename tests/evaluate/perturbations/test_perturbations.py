"""Every perturbation by hand, and what holds for all: numbers, code and addresses stay; a seed is a text."""

import re
import unicodedata
from random import Random

import pytest

from sevenfold.errors import RecipeError
from sevenfold.evaluate.perturbations import PERTURBATIONS

TEXTS = [
    "Please translate the following sentence into Persian, and mind the 3.5 percent of 12,000 people.",
    "لطفاً می‌خواهم کتاب‌های فارسی را در ۲۵ روز بخوانم؛ ممکن است؟",
    'He said: "WHERE is it?" Then run `pip install foo` or see https://example.org/a?b=1, mail me@example.org.',
    "2026-11-22",
    "",
    "   ",
]
NUMBER = re.compile(r"\d+(?:[.,:-]\d+)*")


def numbers(text):
    """Every number of a text in Latin digits."""
    return ["".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in found) for found in NUMBER.findall(text)]


def made(name, **fields):
    return PERTURBATIONS.find(name)(**fields)


def changed(name, text, seed=0, **fields):
    return made(name, **fields).apply(text, Random(seed))


@pytest.mark.parametrize("name", PERTURBATIONS.names())
@pytest.mark.parametrize("text", TEXTS)
def test_numbers_code_and_addresses_stay(name, text):
    for seed in range(10):
        found = changed(name, text, seed)
        assert numbers(found) == numbers(text)
        assert found == changed(name, text, seed)
        for kept in re.findall(r"`[^`]*`|https://\S+|\S+@\S+\w", text):
            assert kept in found


@pytest.mark.parametrize("name", PERTURBATIONS.names())
def test_each_says_what_it_does_and_changes_something(name):
    one = made(name)
    assert one.says
    assert one.meaning in ("kept", "may change")
    assert any(one.apply(text, Random(1)) != text for text in TEXTS)


def test_each_by_hand():
    assert changed("case", "Straße in Rome", to="upper") == "STRAßE IN ROME"
    assert changed("case", "US", to="lower") == "us"
    assert changed("punctuation", 'Well, "what" is 3.5? چرا؟ e.g. this.') == "Well what is 3.5 چرا e.g this"
    assert changed("persian_digits", "12 یا ۳۴ و ٥") == "۱۲ یا 34 و 5"
    assert changed("arabic_letters", "یک کتاب") == "يك كتاب"
    assert changed("zwnj", "می‌خواهم") == "میخواهم"
    assert changed("white_space", "a b c d", share=1).split() == ["a", "b", "c", "d"]
    assert len(changed("white_space", "a b c d", share=1)) > len("a b c d ") + 2


def test_typos_are_one_slip_in_some_words_and_the_first_letter_stays():
    text = "please translate this beautiful sentence about rivers"
    for seed in range(50):
        found = changed("typos", text, seed, share=0.5).split()
        pairs = list(zip(text.split(), found, strict=True))
        differ = [(one, other) for one, other in pairs if one != other]
        assert len(differ) == 4
        assert all(one[0] == other[0] and abs(len(one) - len(other)) <= 1 for one, other in differ)


def test_persian_words_slip_to_persian_keys():
    found = {changed("typos", "کتابخانه", seed) for seed in range(40)}
    assert len(found) > 10
    assert all(unicodedata.name(letter).startswith("ARABIC") for word in found for letter in word)


def test_homoglyphs_look_alike_and_are_others():
    text = "a paper about peace"
    found = changed("homoglyphs", text, share=1)
    assert len(found) == len(text)
    assert not re.search("[aeopc]", found)
    assert {unicodedata.name(c).split()[0] for c in found if c not in "rbut "} == {"CYRILLIC"}


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(RecipeError, match="typo") as caught:
        PERTURBATIONS.find("typo")
    assert caught.value.suggestion == "typos"
