from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.keys import content_key, hashed, opening, opening_key

SYSTEM, ASKED, ANSWERED = Message("system", "Be kind"), Message("user", "Hi"), Message("assistant", "Hello")


@pytest.mark.parametrize(
    ("messages", "first"),
    [
        ((ASKED, ANSWERED), 1),
        ((SYSTEM, ASKED, ANSWERED, ASKED, ANSWERED), 2),
        ((ANSWERED,), 1),
        ((SYSTEM, ANSWERED, ASKED, ANSWERED), 2),
        ((SYSTEM, ASKED), 2),
    ],
)
def test_the_opening_is_the_question_or_without_one_the_first_words(messages, first):
    assert opening(Conversation(messages)) == messages[:first]


def test_a_question_is_the_same_whatever_its_case_white_space_and_form():
    keys = {
        opening_key(Conversation((Message("user", text), Message("assistant", str(number)))))
        for number, text in enumerate(["What is a café?", "  what IS\na cafe\u0301? ", "WHAT IS A CAFÉ?"])
    }
    assert len(keys) == 1


def test_a_longer_conversation_shares_the_opening_of_the_shorter():
    short = Conversation((ASKED, ANSWERED))
    long = Conversation((ASKED, Message("assistant", "Yes?"), Message("user", "More"), ANSWERED))
    assert opening_key(short) == opening_key(long)
    assert content_key(short) != content_key(long)


def test_keys_are_the_same_on_every_machine():
    assert opening_key(Conversation((ASKED, ANSWERED))) == 1319534320536009537
    assert hashed(["a", "b"]) != hashed(["ab"])


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_different_parts_have_different_hashes(first, second):
    assert (hashed(first) == hashed(second)) == (first == second)
