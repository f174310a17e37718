"""Synonyms by real sentence embeddings: the nearest word of the rows' own, forms of the word left out."""

from __future__ import annotations

from random import Random

import pytest

from sevenfold.prepare.augment import AUGMENTERS
from sevenfold.prepare.augment.synonyms import cased, same_stem

PAIRS = (("doctor", "physician"), ("car", "automobile"), ("child", "kid"), ("quick", "fast"), ("house", "home"),
         ("ماشین", "خودرو"), ("خانه", "منزل"))  # fmt: skip
OTHERS = ("banana", "mountain", "Tuesday", "quarrel", "velvet", "کوه", "سیب")


@pytest.fixture(scope="module")
def near():
    words = [word for pair in PAIRS for word in pair] + [word.casefold() for word in OTHERS]
    return AUGMENTERS.find("synonyms")().neighbours(words, Random(1))


def test_a_synonym_is_among_the_nearest(near):
    """Of 14 words with a synonym planted among 21, at least 11 have it within the first five."""
    both = [*PAIRS, *((other, one) for one, other in PAIRS)]
    assert sum(other in near.get(one, ()) for one, other in both) >= 11


def test_a_copy_has_a_word_of_the_rows_and_stays_alike(run, write_rows):
    """Only words of other rows come in, and the rows say which they are."""
    asked = [
        "The doctor will see you on Monday", "A physician wrote this long letter", "Her car broke down near Lyon",
        "He sold an automobile to pay rent", "This child plays chess every day", "What does a kid of nine like to eat",
        "We rented a house by the sea", "Nobody was at home when it rained", "Quick answers are often wrong",
    ]  # fmt: skip
    rows = write_rows([{"prompt": text, "completion": "there"} for text in asked])
    found = run(source=rows, training=[{"augment": {"ways": ["synonyms"]}}])
    known = {word.strip("?").casefold() for text in asked for word in text.split()}
    made = [row.conversation.messages[0].content for row in found.rows("train") if row.made_by]
    assert len(made) >= 5
    assert all({word.strip("?").casefold() for word in text.split()} <= known for text in made)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("print", "printer", True),
        ("house", "home", False),
        ("کتاب", "کتاب‌ها", True),
        ("car", "cat", True),
        ("go", "run", False),
    ],
)
def test_forms_of_a_word_are_no_synonyms(one, other, same):
    """By the beginning alone, so that now and then a short synonym is left out too."""
    assert same_stem(one, other) == same


def test_capitals_stay():
    assert [cased("home", like) for like in ("House", "HOUSE", "house")] == ["Home", "HOME", "home"]
