"""An engine between guards, with a real network behind it."""

from __future__ import annotations

import pytest

from sevenfold.chat.conversation import Message
from sevenfold.generate.engine import Answer, Capacity, Sampling
from sevenfold.generate.engines.transformers import Transformers
from sevenfold.guard.guarded import REFUSAL, guarded
from sevenfold.guard.guards.model import encoder_of
from tests.guard.said import guard

SAMPLING = Sampling(max_new_tokens=4)
PASSES = {"rules": {"languages": [], "patterns": {"bad": "bomb"}}}


@pytest.fixture
def engine(tiny_weights):
    return Transformers().open(tiny_weights, encoder_of(tiny_weights), Capacity(context=512))


def prompt(engine, text):
    return engine.encoder.prompt([Message("user", text)])


def test_what_may_pass_is_answered_as_without_a_guard(engine):
    asked = [prompt(engine, "Hello"), prompt(engine, "a bomb"), prompt(engine, "Bye")]
    plain = engine.generate(asked, SAMPLING)
    with guarded(engine, guard(PASSES).open()) as between:
        found = between.generate(asked, SAMPLING)
        assert [found[0].text, found[2].text] == [plain[0].text, plain[2].text]
        assert (found[1].text, found[1].ids, found[1].completion_tokens) == (REFUSAL, [], 0)
        assert found[1].prompt_tokens == len(asked[1])
        counts = between.counts
        assert (counts.asked, counts.stopped_prompts, counts.stopped_answers, counts.failures) == (3, 1, 0, 0)
        assert between.next_log_probs(asked[0], 3) == engine.next_log_probs(asked[0], 3)
        assert between.name == "transformers"


def test_an_answer_that_may_not_come_out(engine):
    between = guarded(engine, guard({"rules": {"languages": [], "patterns": {"any": ".|\\Z"}}}).open(), "No.")
    between.sides = ("response",)
    (answer,) = between.generate([prompt(engine, "Hello")], SAMPLING)
    assert (answer.text, answer.ids, answer.finish_reason) == ("No.", [], "stop")
    assert between.counts.stopped_answers == 1
    *pieces, whole = between.stream(prompt(engine, "Hello"), SAMPLING)
    assert pieces == ["No."]
    assert isinstance(whole, Answer)


def test_a_stream_is_judged_whole_or_at_the_prompt_alone(engine):
    between = guarded(engine, guard(PASSES).open())
    plain = engine.generate([prompt(engine, "Hello")], SAMPLING)[0].text
    for sides in (("prompt", "response"), ("prompt",)):
        between.sides = sides
        *pieces, whole = between.stream(prompt(engine, "Hello"), SAMPLING)
        assert "".join(pieces) == whole.text == plain
        *pieces, whole = between.stream(prompt(engine, "a bomb"), SAMPLING)
        assert "".join(pieces) == whole.text == REFUSAL


@pytest.mark.parametrize("closed", [True, False])
def test_a_guard_that_fails(engine, closed):
    gone = guard({"model": {"model": "g", "address": "http://127.0.0.1:9/v1", "tries": 1}}).open()
    between = guarded(engine, gone, closed=closed)
    (answer,) = between.generate([prompt(engine, "Hello")], SAMPLING)
    assert (answer.text == REFUSAL) is closed
    assert between.counts.failures == (1 if closed else 2)
