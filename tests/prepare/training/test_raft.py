"""RAFT rows: the golden document among distractors, in the asked share; every claim of the report is counted anew."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.training._quotes import QUOTE, answered, sentence_with, unfounded

FORMAT = {"template": {"prompt": "{question}", "completion": "{answer}"}}
TOWNS = [f"Town{n}" for n in range(120)]
ROWS = [
    {
        "question": f"Who founded {town}?",
        "context": f"{town} lies by a river. It was founded by Founder{n * 7} in {1200 + n}. Nobody knows why.",
        "answer": f"Founder{n * 7}",
    }
    for n, town in enumerate(TOWNS)
]


def made(run, path, folder="1-prepare", **fields):
    return run(source=path, format=FORMAT, keep=["context"], training=[{"raft": fields}], folder=folder)


def documents(row):
    return row.conversation.messages[0].content.count("<DOCUMENT>")


def test_the_document_stands_among_others_in_the_asked_share(run, write_rows):
    done = made(run, write_rows(ROWS), distractors=3, with_document=0.7)
    rows, report = done.rows("train"), done.report
    assert report["rows_in"] + report["made"]["raft"] == report["rows"] + report["dropped"]["raft"]
    assert len(rows) == 120
    held = 0
    for row in rows:
        prompt, reply = (message.content for message in row.conversation.messages)
        answer = reply.split("##Answer: ")[-1]
        there = f"founded by {answer} " in prompt
        held += there
        assert documents(row) == 3 + there
        assert prompt.splitlines()[-1].startswith("Who founded Town")
        assert len(row.parents) == 4
        if there:
            assert QUOTE.findall(reply) == [sentence_with(answer, prompt)]
        else:
            assert answer not in prompt
            assert reply == answer
    figures = report["training"][0]["figures"]
    assert figures["rows_without_their_document"] == 120 - held
    assert figures["answers_with_quote"] == held
    assert 70 <= held <= 98
    assert all("context" not in row.fields for row in rows)


def test_the_same_rows_and_seed_give_the_same_rows_again(run, write_rows):
    path = write_rows(ROWS)
    first, again = made(run, path, "a"), made(run, path, "b")
    assert first.rows() == again.rows()
    assert made(run, path, "c", draw="random").rows() != first.rows()


def test_the_place_of_the_document_is_not_always_the_same(run, write_rows):
    rows = made(run, write_rows(ROWS), with_document=1, distractors=3).rows("train")
    places = set()
    for row in rows:
        prompt, reply = (message.content for message in row.conversation.messages)
        lines = prompt.split("<DOCUMENT>")[1:]
        places.add(next(place for place, line in enumerate(lines) if reply.split("##Answer: ")[-1] + " " in line))
    assert places == {0, 1, 2, 3}


def test_the_nearest_are_what_a_retriever_would_find(run, write_rows):
    rows = [
        {
            "question": f"What does the {kind} {n} eat?",
            "context": f"The {kind} {n} eats food{kind}{n}.",
            "answer": f"food{kind}{n}",
        }
        for kind in ("zebra", "violin")
        for n in range(20)
    ]
    done = made(run, write_rows(rows), with_document=1, distractors=4)
    same = [row.conversation.messages[0].content.count(" zebra ") in (0, 6) for row in done.rows("train")]
    assert all(same)


def test_a_document_that_holds_the_answer_is_no_distractor(run, write_rows):
    rows = [{"question": f"Q{n}?", "context": f"Text {n} says yes.", "answer": "yes"} for n in range(6)]
    rows += [{"question": f"R{n}?", "context": f"Text r{n} says no.", "answer": "no"} for n in range(6)]
    done = made(run, write_rows(rows), with_document=1, distractors=8)
    for row in done.rows("train"):
        prompt, reply = (message.content for message in row.conversation.messages)
        assert prompt.count(f"says {reply.split('##Answer: ')[-1]}.") == 1
        assert documents(row) == 7
    assert done.report["training"][0]["figures"]["rows_with_fewer_distractors"] == 12


def test_a_reason_is_used_and_quotes_that_do_not_stand_are_counted(run, write_rows):
    rows = [dict(row, why=f"It says ##begin_quote##founded by {row['answer']}##end_quote##.") for row in ROWS[:10]]
    rows[3]["why"] = "It says ##begin_quote##founded by nobody##end_quote##."
    rows[4]["context"] = ""
    done = run(
        source=write_rows(rows),
        format=FORMAT,
        keep=["context", "why"],
        training=[{"raft": {"reason": "why", "with_document": 0.5}}],
    )
    figures = done.report["training"][0]["figures"]
    assert figures["reasons_with_quotes_not_found"] == 1
    assert figures["rows_without_any_document"] == 1
    assert figures["answers_with_quote"] == 9
    replies = [row.conversation.reference() for row in done.rows("train")]
    assert sum(reply.startswith("##Reason: It says") for reply in replies) == 9


def test_without_documents_the_columns_are_named(run, write_rows):
    with pytest.raises(DataError, match="different documents in the column 'contxt'") as caught:
        run(source=write_rows(ROWS), format=FORMAT, keep=["context"], training=[{"raft": "contxt"}])
    assert caught.value.suggestion == "context"


def test_quotes_by_hand():
    text = "Tehran is a city. It has 3.5 rivers! بله، درست است؟ آری."
    assert sentence_with("3.5", text) == "It has 3.5 rivers!"
    assert sentence_with("درست", text) == "بله، درست است؟"
    assert sentence_with("Paris", text) == ""
    assert answered("yes", "no word", "", quote=True) == "yes"
    assert unfounded("##begin_quote##Shiraz##end_quote##", text)
    assert not unfounded("##begin_quote##tehran  is##end_quote##", text)
