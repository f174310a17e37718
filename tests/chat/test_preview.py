"""What a row looks like to the trainer: every token once, answers apart, and what is learnt marked."""

from __future__ import annotations

import json

import pytest
from rich.console import Console as Terminal

from sevenfold.chat import preview
from sevenfold.console import Console
from sevenfold.prepare.dataset import Row
from sevenfold.schema import build
from sevenfold.tune.objectives import OBJECTIVES
from tests.rows import conversation
from tests.tune.objectives import judged


@pytest.fixture
def encoder(tiny_model):
    return tiny_model.encoder()


def view(name: str, row: Row, encoder, limit: int = 512) -> preview.View:
    objective = build(OBJECTIVES.find(name), {}, name)
    (found,) = preview.views([row], objective.sequences, encoder, limit)
    return found


def text(pieces) -> str:
    return "".join(piece for piece, _ in pieces)


def learnt(pieces) -> list[str]:
    return [piece for piece, learnt in pieces if learnt]


def test_one_answer_stands_in_its_text(encoder) -> None:
    row = Row(conversation(3), "rows.jsonl:4")
    found = view("sft", row, encoder)
    assert found.answers == []
    assert learnt(found.pieces)[-1] == row.conversation.messages[-1].content + "<|im_end|>"


def test_each_answer_stands_by_itself_behind_the_prompt(encoder) -> None:
    row = judged.pair(3)
    found = view("dpo", row, encoder)
    assert text(found.pieces).endswith("<|im_start|>assistant\n")
    assert learnt(found.pieces) == []
    chosen, rejected = found.answers
    assert learnt(chosen.pieces) == [text(chosen.pieces)] == [row.conversation.messages[-1].content + "<|im_end|>"]
    assert learnt(rejected.pieces) == [row.fields["rejected"] + "<|im_end|>"]
    prompt = len(encoder.prompt(row.conversation.messages[:-1]))
    assert found.tokens == prompt + chosen.tokens + rejected.tokens
    assert found.supervised == chosen.supervised + rejected.supervised


def test_the_json_has_the_answers_too(encoder) -> None:
    found = json.loads(json.dumps(view("kto", judged.rating(4), encoder).as_json()))
    (answer,) = found["answers"]
    assert answer["figures"] == {"desirable": 0.0}
    assert answer["pieces"][0][1] is True


def test_what_is_beyond_the_limit_is_of_the_longest_answer(encoder) -> None:
    row = judged.pair(3)
    whole = view("dpo", row, encoder)
    longest = whole.tokens - min(answer.tokens for answer in whole.answers)
    assert view("dpo", row, encoder, longest).over == 0
    assert view("dpo", row, encoder, longest - 2).over == 2


def test_on_a_terminal_answers_have_their_headings(encoder) -> None:
    console = Console()
    console.terminal = Terminal(record=True, width=200, file=open("/dev/null", "w"))  # noqa: SIM115
    row = judged.pair(3)
    preview.show(view("dpo", row, encoder), console)
    said = console.terminal.export_text()
    assert "2 answers behind one prompt" in said
    first, second = said.split("answer 1: ")[1].split("answer 2: ")
    assert f"⟪{row.conversation.messages[-1].content}<|im_end|>⟫" in first
    assert f"⟪{row.fields['rejected']}<|im_end|>⟫" in second


def test_texts_that_share_nothing_stand_side_by_side(encoder) -> None:
    console = Console()
    console.terminal = Terminal(record=True, width=200, file=open("/dev/null", "w"))  # noqa: SIM115
    preview.show(view("embed", Row(conversation(2), "rows.jsonl:3"), encoder), console)
    said = console.terminal.export_text()
    assert "2 texts side by side" in said
    assert "text 1: " in said.split("side by side")[1]
