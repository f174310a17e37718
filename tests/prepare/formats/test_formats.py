from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.formats import FORMATS, Unfit
from sevenfold.prepare.formats.auto import Auto, candidates
from sevenfold.prepare.formats.messages import Messages
from sevenfold.prepare.formats.sharegpt import ShareGpt
from sevenfold.prepare.formats.template import Template
from tests.prepare.conftest import section_of

ASKED = {"role": "user", "content": "Hi"}
ANSWERED = {"role": "assistant", "content": "Hello"}


def turns(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in conversation.messages]


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({"messages": [ASKED, ANSWERED]}, "messages", [("user", "Hi"), ("assistant", "Hello")]),
        ({"messages": json.dumps([ASKED, ANSWERED])}, "messages", [("user", "Hi"), ("assistant", "Hello")]),
        ({"prompt": [ASKED], "completion": [ANSWERED]}, "messages", [("user", "Hi"), ("assistant", "Hello")]),
        ({"conversations": [ASKED, ANSWERED]}, "messages", [("user", "Hi"), ("assistant", "Hello")]),
        (
            {
                "conversations": [
                    {"from": "human", "value": "Hi"},
                    {"from": "gpt", "value": "Hello"},
                    {"from": "tool", "value": "3"},
                ],
                "system": "Be kind",
            },
            "sharegpt",
            [("system", "Be kind"), ("user", "Hi"), ("assistant", "Hello"), ("tool", "3")],
        ),
        (
            {"instruction": "Add", "input": "1 2", "output": "3", "system": "Count"},
            "alpaca",
            [("system", "Count"), ("user", "Add\n\n1 2"), ("assistant", "3")],
        ),
        ({"instruction": "Sing", "input": "", "output": "La"}, "alpaca", [("user", "Sing"), ("assistant", "La")]),
        ({"instruction": "Sing", "context": None, "response": "La"}, "alpaca", [("user", "Sing"), ("assistant", "La")]),
        ({"prompt": "Hi", "completion": "Hello"}, "prompt_completion", [("user", "Hi"), ("assistant", "Hello")]),
        ({"question": "1+1", "answer": 2, "text": "x"}, "prompt_completion", [("user", "1+1"), ("assistant", "2")]),
        ({"text": "Once upon a time"}, "text", [("assistant", "Once upon a time")]),
    ],
)
def test_a_row_is_recognised_by_its_columns_and_read(values, name, expected):
    found = Auto().settle(values)
    assert FORMATS.name_of(found) == name
    assert turns(found.read(values)) == expected
    assert set(found.columns(values)) <= set(values)


@pytest.mark.parametrize(("column", "name"), [("messages", "messages"), ("conversations", "sharegpt")])
@pytest.mark.parametrize("value", [[], None, "[]"])
def test_an_empty_first_row_is_recognised_by_its_column(column, name, value):
    found = Auto().settle({column: value})
    assert FORMATS.name_of(found) == name
    assert found.read({column: value}) == Conversation(())


def test_every_format_without_settings_is_a_candidate_once():
    names = [FORMATS.name_of(candidate) for candidate in candidates()]
    lists = ["preference", "messages", "sharegpt", "tagged", "squad"]
    assert names == [*lists, "alpaca", "labelled", "pair", "prompt_completion", "text"]


def test_unknown_columns_are_refused_with_what_to_do():
    with pytest.raises(DataError, match="no format is known for the columns frage, antwort") as caught:
        Auto().settle({"frage": "?", "antwort": "!"})
    assert "columns: {your_name: prompt" in caught.value.next_step
    assert "template" in caught.value.alternatives


def test_weights_are_kept():
    silent = {**ANSWERED, "weight": 0}
    conversation = Messages().read({"messages": [ASKED, silent, ASKED, ANSWERED]})
    assert [message.weight for message in conversation.messages] == [1.0, 0.0, 1.0, 1.0]
    assert conversation.replies == [3]


@pytest.mark.parametrize("weight", ["heavy", -1, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(weight):
    with pytest.raises(DataError, match="the weight"):
        Messages().read({"messages": [ASKED, {**ANSWERED, "weight": weight}]})


def test_text_parts_are_joined_and_other_parts_make_a_row_unfit():
    parts = [{"type": "text", "text": "He"}, {"type": "text", "text": "llo"}]
    assert turns(Messages().read({"messages": [{"role": "assistant", "content": parts}]})) == [("assistant", "Hello")]
    with pytest.raises(Unfit, match="parts_that_are_not_text"):
        Messages().read({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]})


def test_tool_calls_make_a_row_unfit():
    with pytest.raises(Unfit, match="tool_calls"):
        Messages().read({"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}]})


@pytest.mark.parametrize(("role", "ours"), [("Human", "user"), ("developer", "system"), ("function", "tool")])
def test_other_names_of_roles_are_known(role, ours):
    assert Messages().read({"messages": [{"role": role, "content": "x"}]}).messages[0].role == ours


def test_an_unknown_role_is_refused_with_the_nearest_and_can_be_mapped():
    values = {"messages": [{"role": "asistant", "content": "x"}]}
    with pytest.raises(DataError, match="unknown role 'asistant'") as caught:
        Messages().read(values)
    assert caught.value.suggestion == "assistant"
    assert "roles:" in caught.value.next_step
    agent = {"conversations": [{"from": "agent", "value": "x"}]}
    assert ShareGpt(roles={"agent": "assistant"}).read(agent).messages[0].role == "assistant"


def test_a_role_can_only_be_mapped_to_one_that_exists():
    with pytest.raises(RecipeError, match="assistent"):
        section_of(source="rows.csv", format={"messages": {"roles": {"agent": "assistent"}}})


def test_a_turn_without_content_is_refused():
    with pytest.raises(DataError, match="a turn without 'content'") as caught:
        Messages().read({"messages": [{"role": "user", "contents": "x"}]})
    assert caught.value.suggestion == "contents"


@pytest.mark.parametrize(
    ("name", "values", "missing", "suggestion"),
    [
        ("messages", {"mesages": []}, "messages", "mesages"),
        ("sharegpt", {"conversation_list": []}, "conversations", "conversation_list"),
        ("alpaca", {"instructions": "x", "output": "y"}, "instruction", "instructions"),
        ("alpaca", {"instruction": "x", "outputs": "y"}, "output", "outputs"),
        ("prompt_completion", {"promt": "x", "completion": "y"}, "prompt", "promt"),
        ("prompt_completion", {"prompt": "x", "completions": "y"}, "completion", "completions"),
        ("text", {"txt": "x"}, "text", "txt"),
    ],
)
def test_a_missing_column_is_refused_with_the_nearest(name, values, missing, suggestion):
    with pytest.raises(DataError, match=f"no column '{missing}'") as caught:
        FORMATS.find(name)().read(values)
    assert caught.value.suggestion == suggestion


def test_a_list_where_text_belongs_is_refused():
    with pytest.raises(DataError, match="'completion' holds a list"):
        FORMATS.find("prompt_completion")().read({"prompt": "x", "completion": ["y"]})


def test_plain_values_that_are_no_text_are_written_as_text():
    values = {"prompt": date(2024, 5, 6), "completion": Decimal("1.50")}
    assert turns(FORMATS.find("prompt_completion")().read(values)) == [("user", "2024-05-06"), ("assistant", "1.50")]


def test_half_a_surrogate_pair_makes_a_row_unfit():
    with pytest.raises(Unfit, match="broken_unicode"):
        FORMATS.find("text")().read({"text": "a\ud800b"})


def test_a_template_fills_columns_and_keeps_braces():
    template = Template(prompt="Translate to {{fa}}: {source}", completion="{target}", system="{style} style")
    values = {"source": "a {b}", "target": "پ", "style": "Plain", "id": 3}
    assert turns(template.read(values)) == [
        ("system", "Plain style"),
        ("user", "Translate to {fa}: a {b}"),
        ("assistant", "پ"),
    ]
    assert template.columns(values) == ("style", "source", "target")


def test_a_template_s_missing_column_is_refused_with_the_nearest():
    with pytest.raises(DataError, match="no column 'sorce'") as caught:
        Template(prompt="{sorce}", completion="{target}").read({"source": "a", "target": "b"})
    assert caught.value.suggestion == "source"


@pytest.mark.parametrize("text", ["{", "{source", "{}", "{source!r}", "{source:>10}"])
def test_a_broken_template_is_refused_in_the_recipe(text):
    with pytest.raises(RecipeError, match=r"format: .*prompt"):
        section_of(source="rows.csv", format={"template": {"prompt": text, "completion": "{target}"}})


def test_pairs_are_found_by_their_columns_and_hard_negatives_stay() -> None:
    from sevenfold.prepare.formats.auto import Auto
    from sevenfold.prepare.formats.pair import Pair

    row = {"anchor": "how", "positive": "so", "negative": "no"}
    assert isinstance(Auto().settle(row), Pair)
    assert Auto().columns(row) == ("anchor", "positive")
    assert [message.content for message in Pair().read(row).messages] == ["how", "so"]
    with pytest.raises(DataError, match="no column 'positive'"):
        Pair().read({"anchor": "how"})
