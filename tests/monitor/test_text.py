import numpy as np

from sevenfold.monitor.text import BUCKETS, asked, trigram_counts, word_counts, words


def test_words_keep_the_joiner_marks_and_case_folds():
    assert words("او می‌رود، نمی‌آید.") == ["او", "می‌رود", "نمی‌آید"]
    assert words("ÉCOLE e\u0301cole") == ["école", "école"]
    assert words("हिन्दी भाषा") == ["हिन्दी", "भाषा"]
    assert words("Straße, 12x!") == ["strasse", "12x"]


def test_counts_are_those_of_plain_counting():
    counts = word_counts(["a b a", ""])
    assert counts.shape == (2, BUCKETS)
    assert sorted(counts[0][counts[0] > 0]) == [1, 2]
    assert counts[1].sum() == 0
    # "abc" with two blanks on each side has seven characters and so five trigrams.
    assert trigram_counts(["abc"]).sum() == 5


def test_trigrams_tell_texts_apart_and_count_repeats():
    first, same, other = trigram_counts(["سلام دنیا", "سلام دنیا", "hello"])
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    assert trigram_counts(["aaaa"]).max() == 2


def test_a_lone_surrogate_is_counted_and_not_refused():
    assert trigram_counts(["a\ud800b"]).sum() == 5


def test_asked_is_the_last_turn_of_the_user():
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]
    assert asked(turns) == "three"
    assert asked(turns[:3]) == "one"
    assert asked(turns[:1]) == "s"
