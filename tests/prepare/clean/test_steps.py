from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import RecipeError
from sevenfold.prepare.clean import DEFAULT, STEPS, Dropped, default_steps
from sevenfold.prepare.clean import unicode as unicode_step
from sevenfold.prepare.clean import whitespace as whitespace_step
from sevenfold.prepare.clean.duplicates import Duplicates
from sevenfold.prepare.clean.empty import Empty
from sevenfold.prepare.clean.fold_system import fold
from sevenfold.prepare.clean.length import Length
from sevenfold.prepare.clean.unicode import Unicode
from sevenfold.prepare.clean.whitespace import Whitespace
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.wash import Wash
from tests.prepare.conftest import section_of

PERSIAN = "می‌خواهم کتاب‌هایی را که «نوشته‌اند» بخوانم؛ ۱۲۳۴ آیا مؤلّفِ آن پیداست؟"


def row(prompt: str = "Hi", reply: str = "Hello") -> Row:
    return Row(Conversation((Message("user", prompt), Message("assistant", reply))), "rows:1")


def test_persian_survives_every_default_step_intact():
    before = row(PERSIAN, f"{PERSIAN}\n\n{PERSIAN}")
    assert "\u200c" in PERSIAN
    wash = Wash(default_steps())
    assert wash.clean(before) is before
    assert set(wash.changed.values()) == {0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cafe\u0301", "café"),
        ("\ufeffzero\u200bwidth\u2060", "zerowidth"),
        ("bell\x07 null\x00 c1\x9d", "bell null c1"),
        ("tab\tline\nreturn\r\n", "tab\tline\nreturn\r\n"),
        ("soft\u00adhyphen", "softhyphen"),
        ("e\u200b\u0301", "é"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("\u200fעברית\u200e", "\u200fעברית\u200e"),
    ],
)
def test_unicode(text, expected):
    assert unicode_step.clean(text) == expected


@given(st.text())
def test_unicode_is_idempotent_and_gives_normal_form_c(text):
    once = unicode_step.clean(text)
    assert unicode_step.clean(once) == once
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("  one line  ", "one line"),
        ("\n\n    indented\n  less \t\n", "    indented\n  less"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("a\n\n\nb", "a\n\n\nb"),
        (" \n\t\n ", ""),
    ],
)
def test_whitespace(text, expected):
    assert whitespace_step.clean(text) == expected


@given(st.text(st.sampled_from("a \t\n\r\u2028")))
def test_whitespace_is_idempotent_and_keeps_the_words(text):
    once = whitespace_step.clean(text)
    assert whitespace_step.clean(once) == once
    assert once.split() == text.split()


def test_single_spaces_between_words_alone():
    single = Whitespace(single=True).start()
    text = "  def f():\n    return\u00a0 1\u2009+ 2\u3000\n\nکتاب\u200cها \t را\u00a0\u00a0خواندم"
    assert single(row(reply=text)).conversation.reference() == (
        "  def f():\n    return 1 + 2\u3000\n\nکتاب\u200cها را خواندم"
    )
    kept = row(reply="one two")
    assert single(kept) is kept
    assert Whitespace().start()(row(reply="one\u00a0 two")).conversation.reference() == "one\u00a0 two"


@pytest.mark.parametrize(
    ("prompt", "reply", "reason"),
    [("Hi", "", "empty_reply"), ("Hi", " \n", "empty_reply"), ("", "Hello", "empty_prompt"), ("Hi", "Hello", None)],
)
def test_empty(prompt, reply, reason):
    before = row(prompt, reply)
    assert Empty().start()(before) == (Dropped(reason) if reason else before)


def test_length():
    check = Length(minimum=5, maximum=10).start()
    assert check(row("ab", "cd")) == Dropped("too_short")
    assert isinstance(check(row("ab", "cde")), Row)
    assert isinstance(check(row("abcde", "abcde")), Row)
    assert check(row("abcde", "abcdef")) == Dropped("too_long")


def test_a_plain_number_is_the_longest_and_limits_must_fit():
    assert section_of(source="rows.csv", clean=[{"length": 50}]).clean == [Length(maximum=50)]
    with pytest.raises(RecipeError, match="the maximum 5 is below the minimum 9"):
        section_of(source="rows.csv", clean=[{"length": {"minimum": 9, "maximum": 5}}])


def test_duplicates_are_equal_but_for_white_space_and_unicode_form():
    check = Duplicates().start()
    first = row("Hello  there", "café")
    assert check(first) is first
    assert check(row("Hello there ", "cafe\u0301")) == Dropped("duplicate")
    assert isinstance(check(row("hello there", "café")), Row)
    assert isinstance(check(row("Hello there c", "afé")), Row)
    assert isinstance(Duplicates().start()(first), Row), "another pass knows nothing of this one"


def test_steps_run_in_order_and_are_counted():
    wash = Wash([STEPS.find(name)() for name in ("unicode", "whitespace", "empty")])
    assert wash.clean(row("Hi ", "\u200b")) == Dropped("empty_reply")
    assert isinstance(wash.clean(row("Hi ", "Hello")), Row)
    assert wash.clean(Dropped("tool_calls")) == Dropped("tool_calls")
    assert wash.changed == {"unicode": 1, "whitespace": 2, "empty": 0}
    assert wash.dropped == {"empty_reply": 1, "tool_calls": 1}


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("system user assistant", [("user", "0\n\n1"), ("assistant", "2")]),
        ("system system user assistant user", [("user", "0\n\n1\n\n2"), ("assistant", "3"), ("user", "4")]),
        ("user assistant system user", [("user", "0"), ("assistant", "1"), ("user", "2\n\n3")]),
        ("system assistant", [("system", "0"), ("assistant", "1")]),
        ("user assistant system", [("user", "0"), ("assistant", "1"), ("system", "2")]),
    ],
)
def test_system_turns_go_in_front_of_the_user_s(roles, expected):
    given = Row(Conversation(tuple(Message(role, str(n)) for n, role in enumerate(roles.split()))), "rows:1")
    folded = fold(given)
    assert [(message.role, message.content) for message in folded.conversation.messages] == expected
    assert fold(folded) is folded
    assert STEPS.find("fold_system")().start()(given) == folded


def test_the_default_is_every_step_that_suits_every_model():
    assert {*DEFAULT, "fold_system"} <= set(STEPS.names())
    assert isinstance(default_steps()[0], Unicode)


def test_an_unknown_step_is_refused_with_the_nearest():
    with pytest.raises(RecipeError) as caught:
        section_of(source="rows.csv", clean=["duplicate"])
    assert caught.value.suggestion == "duplicates"


def judged(rejected: str, prompt: str = "Hi", reply: str = "Hello") -> Row:
    return Row(row(prompt, reply).conversation, "a:1", {"rejected": rejected, "kind": "a\u200b"})


def test_a_rejected_answer_is_cleaned_as_replies_are_and_other_columns_are_not():
    wash = Wash(default_steps())
    cleaned = wash.clean(judged("  No\u200b \r\n"))
    assert isinstance(cleaned, Row)
    assert cleaned.fields == {"rejected": "No", "kind": "a\u200b"}
    assert wash.changed["unicode"] == wash.changed["whitespace"] == 1


def test_rows_with_other_rejected_answers_are_no_duplicates():
    check = Duplicates().start()
    assert [isinstance(check(judged(text)), Dropped) for text in ("no", "never", "no ", "never")] == [
        False,
        False,
        True,
        True,
    ]
