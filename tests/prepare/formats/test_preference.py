"""Judged answers in the layouts that are in use."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.formats import Unfit
from sevenfold.prepare.formats.auto import Auto
from sevenfold.prepare.formats.preference import Preference
from sevenfold.schema import build

ASKED = [{"role": "user", "content": "2 + 2?"}]
RIGHT, WRONG = ([{"role": "assistant", "content": text}] for text in ("4", "5"))
PREFERENCE = build(Preference, {}, "preference")


def said(values):
    conversation = PREFERENCE.read(values)
    return [(message.role, message.content) for message in conversation.messages], PREFERENCE.fields(values)


PAIRS = {
    "texts": {"prompt": "2 + 2?", "chosen": "4", "rejected": "5"},
    "lists of answers": {"prompt": ASKED, "chosen": RIGHT, "rejected": WRONG},
    "lists that hold the prompt": {"chosen": [*ASKED, *RIGHT], "rejected": [*ASKED, *WRONG]},
    "the prompt as text and in lists": {
        "prompt": "2 + 2?",
        "chosen": [*ASKED, *RIGHT],
        "rejected": [*ASKED, *WRONG],
        "messages": [*ASKED, *RIGHT],
        "score_chosen": 9.0,
    },
}


@pytest.mark.parametrize("values", PAIRS.values(), ids=PAIRS)
def test_pairs(values) -> None:
    assert said(values) == ([("user", "2 + 2?"), ("assistant", "4")], {"rejected": "5"})
    assert isinstance(build(Auto, {}, "auto").settle(values), Preference)


def test_a_system_message_and_earlier_turns() -> None:
    turns = [{"role": "system", "content": "Short."}, *ASKED, *RIGHT, {"role": "user", "content": "3 + 3?"}]
    messages, fields = said({"prompt": turns, "chosen": "6", "rejected": "7"})
    assert [role for role, _ in messages] == ["system", "user", "assistant", "user", "assistant"]
    assert fields == {"rejected": "7"}
    assert said({"system": "Short.", "prompt": "2 + 2?", "chosen": "4", "rejected": "5"})[0][0] == ("system", "Short.")


@pytest.mark.parametrize(("label", "word"), [(True, "true"), (False, "false"), ("True", "true"), ("false", "false")])
@pytest.mark.parametrize("lists", [True, False])
def test_ratings(label, word, lists) -> None:
    values = {"prompt": ASKED if lists else "2 + 2?", "completion": RIGHT if lists else "4", "label": label}
    assert said(values) == ([("user", "2 + 2?"), ("assistant", "4")], {"desirable": word})
    assert isinstance(build(Auto, {}, "auto").settle(values), Preference)


def test_a_class_is_no_rating() -> None:
    values = {"prompt": "2 + 2?", "completion": "4", "label": "sums"}
    assert not isinstance(build(Auto, {}, "auto").settle(values), Preference)
    with pytest.raises(DataError, match="'sums'"):
        PREFERENCE.fields(values)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"prompt": "2 + 2?", "chosen": "4", "rejected": " 4\n"}, "equal_answers"),
        ({"prompt": "2 + 2?", "chosen": "4", "rejected": None}, "empty_rejected"),
        (
            {"chosen": [*ASKED, *RIGHT], "rejected": [{"role": "user", "content": "1 + 1?"}, *WRONG]},
            "answers_to_different_prompts",
        ),
        ({"chosen": ASKED, "rejected": [*ASKED, *WRONG]}, "chosen_is_no_answer"),
    ],
)
def test_what_cannot_be_learnt_from_is_dropped_with_a_reason(values, reason) -> None:
    with pytest.raises(Unfit, match=reason):
        said(values)


def test_missing_parts_are_named() -> None:
    with pytest.raises(DataError, match="'rejected'"):
        said({"prompt": "2 + 2?", "chosen": "4", "rejcted": "5"})
    with pytest.raises(DataError, match="no prompt") as raised:
        said({"chosen": "4", "rejected": "5"})
    assert "prepare.columns" in raised.value.next_step
