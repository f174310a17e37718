"""Figures of behaviour: each trait, each test, and whose behaviour was inherited."""

from __future__ import annotations

import pytest

from sevenfold.generate.engine import Answer
from sevenfold.tune.several import behaviour, traits


def answer(text: str, tokens: int = 10, reason: str = "stop") -> Answer:
    return Answer(text, [], reason, 5, tokens, 0.0)


def warned(findings):
    return {finding.trait: finding for finding in findings if finding.differs}


@pytest.mark.parametrize(
    ("text", "name"),
    [("hello سلام", "latin"), ("سلام دنیا ok", "arabic"), ("привет", "cyrillic"), ("你好", "cjk"), ("123 !", "none")],
)
def test_the_script_of_most_letters(text, name) -> None:
    assert traits.script(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but that is not possible.",
        "I’m unable to do that.",
        "As an AI, I have no opinion.",
        "I cannot help with that",
        "متأسفم، نمی‌توانم این کار را انجام دهم.",
        "Es tut mir leid, aber das geht nicht.",
    ],
)
def test_refusals(text) -> None:
    assert traits.refuses(text)


@pytest.mark.parametrize("text", ["The answer is 4.", "Say sorry to her.", "سلام، حال شما چطور است؟", ""])
def test_no_refusals(text) -> None:
    assert not traits.refuses(text)


def test_forms() -> None:
    assert traits.is_json('{"a": 1}')
    assert traits.is_json("```json\n[1, 2]\n```")
    assert not traits.is_json("4")
    assert not traits.is_json("{a}")
    assert traits.has_list("- one\n- two")
    assert not traits.has_list("- one")
    assert traits.has_code("```x```")


def test_short_answers_that_come_from_the_other_parent_are_named() -> None:
    chat = [answer("a long answer", 80 + n) for n in range(8)]
    translate = [answer("short", 9 + n % 2) for n in range(8)]
    merged = [answer("short", 10 + n % 3) for n in range(8)]
    found = warned(behaviour.compare("chat", merged, {"chat": chat, "translate": translate}))
    finding = found["tokens of an answer"]
    assert finding.like == "translate"
    assert finding.own == pytest.approx(83.5, rel=0.01)
    assert finding.merged == pytest.approx(11, rel=0.1)
    assert "on the prompts of chat" in finding.warning()
    assert "translate has 9.4" in finding.warning()
    assert not warned(behaviour.compare("chat", chat, {"chat": chat, "translate": translate}))


def test_another_script_json_and_refusals_are_seen() -> None:
    own = [answer("hello there")] * 8
    other = [answer("سلام")] * 8
    merged = [answer("سلام دنیا")] * 7 + [answer("hello")]
    found = warned(behaviour.compare("english", merged, {"english": own, "persian": other}))
    assert set(found) == {"in latin script", "in arabic script"}
    assert found["in arabic script"].like == "persian"
    assert found["in arabic script"].merged == pytest.approx(7 / 8)
    refusing = [answer("I'm sorry, I cannot help with that.")] * 8
    found = warned(behaviour.compare("english", refusing, {"english": own, "persian": other}))
    assert found["refusals"].like is None
    assert warned(behaviour.compare("a", own, {"a": [answer('{"a": 1}')] * 8})).keys() == {"JSON"}


def test_a_chance_difference_is_not_warned_of() -> None:
    own = [answer("x", 10 * (1 + n % 3)) for n in range(8)]
    merged = [answer("x", 10 * (1 + (n + 1) % 3)) for n in range(8)]
    assert not warned(behaviour.compare("a", merged, {"a": own, "b": own}))
    one_less = [*[answer("yes")] * 7, answer("I'm sorry, no.")]
    assert not warned(behaviour.compare("a", one_less, {"a": [answer("yes")] * 8}))


def test_mcnemar_by_hand() -> None:
    """Eight pairs, six differ, all one way: 2 / 2^6."""
    assert behaviour.sign_test([True] * 6 + [False] * 2, [False] * 8) == pytest.approx(2 / 64)
    assert behaviour.sign_test([True, False], [True, False]) == 1.0
