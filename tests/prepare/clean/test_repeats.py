from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import RecipeError
from sevenfold.prepare.clean._frequent import Frequent
from sevenfold.prepare.clean.repeats import SENTENCE, Repeats
from sevenfold.prepare.dataset import Row
from tests.prepare.conftest import section_of

PLANTED = [
    ("the red fox ran the red fox ran the red fox ran away", "the red fox ran away", "repeated_phrase"),
    ("از این راه برو، از این راه برو، از این راه برو، از این راه برو.", "از این راه برو.", "repeated_phrase"),
    ("It is a good day. It is a good day. We go.", "It is a good day. We go.", "repeated_sentence"),
    ("این روز بسیار خوبی است. این روز بسیار خوبی است.", "این روز بسیار خوبی است.", "repeated_sentence"),
    ("Click here to read on\nNews\nClick here to read on\nEnd", "Click here to read on\nNews\nEnd", "repeated_line"),
]  # fmt: skip
CLEAN = [
    "Very, very good. No, no, no! Ha ha ha ha.",
    "He said it. She said it. They said it and he said it again.",
    "yes\nno\nyes\nno\n| a | b |\n",
    "```python\nfor x in the list:\n    pass\nfor x in the list:\n    pass\n```",
    "    indented code in a line\n    indented code in a line",
    "The price is 3.50 dollars. The price was 3.50 dollars.",
    "1 2 3 4 5",
]


def row(reply: str, prompt: str = "Hi") -> Row:
    return Row(Conversation((Message("user", prompt), Message("assistant", reply))), "rows:1")


@pytest.mark.parametrize(("text", "expected", "what"), PLANTED)
def test_repetition_inside_a_message_is_left_once_and_counted(text, expected, what):
    clean = Repeats().start()
    assert clean(row(text, text)) == row(expected, expected)
    assert clean.figures.keys() == {what}


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_no_repetition_stays(text):
    before = row(text)
    assert Repeats().start()(before) is before


def test_a_sentence_that_comes_back_in_many_replies_is_removed_from_the_later_ones():
    clean = Repeats(across=3).start()
    done = [
        clean(row(f"Answer {n}. I hope that this helps you! Bye.", "I hope that this helps you!")) for n in range(10)
    ]
    kept = ["I hope that this helps you!" in item.conversation.reference() for item in done]
    assert kept == [True] * 3 + [False] * 7
    assert done[9].conversation.reference() == "Answer 9. Bye."
    assert all(item.conversation.messages[0].content == "I hope that this helps you!" for item in done)
    assert clean.figures == {"boilerplate": 7}


def test_a_reply_that_is_nothing_else_stays():
    clean = Repeats(across=2).start()
    rows = [row("The answer is not known.") for _ in range(5)]
    assert [clean(item) is item for item in rows] == [True] * 5
    assert clean.figures == {}


def test_a_row_counts_once_however_often_it_says_a_thing():
    clean = Repeats(across=2, within=False).start()
    item = row("We say this again now. X. We say this again now. Y. We say this again now.")
    assert clean(item) is item


def test_openings_that_the_recipe_names_are_cut():
    clean = Repeats(phrases=["This article suggests that"], across=None).start()
    text = "This article suggests that cats sleep. this article suggests that, dogs run. So this article suggests that."
    assert clean(row(text)).conversation.reference() == "Cats sleep. Dogs run. So this article suggests that."
    assert clean.figures == {"opening": 2}


def test_the_report_says_what_was_removed(run, write_rows):
    rows = [{"prompt": str(n), "completion": f"It is {n}. I hope that this helps you!"} for n in range(8)]
    done = run(source=write_rows(rows), clean=[{"repeats": {"across": 5}}])
    assert done.report["found"] == {"repeats": {"boilerplate": 3}}
    assert done.report["changed"] == {"repeats": 3}


def test_an_empty_opening_is_refused():
    with pytest.raises(RecipeError, match="an opening has no words"):
        section_of(source="r.csv", clean=[{"repeats": {"phrases": [" "]}}])


@given(st.text(st.sampled_from("ab. !?؟\n\t…"), max_size=40))
def test_sentences_are_the_whole_text(text):
    assert "".join(SENTENCE.findall(text)) == text


@settings(max_examples=60)
@given(st.lists(st.integers(0, 30), max_size=200), st.integers(2, 10))
def test_counts_are_never_too_high_and_memory_is_bounded(stream, capacity):
    frequent, true = Frequent(capacity), Counter()
    for key in stream:
        true[key] += 1
        assert frequent.add(key) <= true[key]
        assert len(frequent.counts) <= capacity
    assert all(true[key] - frequent.counts[key] <= 2 * len(stream) / capacity + 1 for key in true)
