"""Leaks: as many training rows are removed as were planted, and no other."""

from __future__ import annotations

import json

import pytest

from sevenfold.errors import DataError
from tests.prepare.conftest import section_of
from tests.prepare.overlap.texts import ENGLISH, PERSIAN, text

SPLIT = {"validation": 0.2, "test": 0.2}


def rows_of(count: int, words: int = 30, vocabulary: list[str] = ENGLISH) -> list[dict[str, str]]:
    return [
        {"prompt": text(n, words, vocabulary), "completion": text(1000 + n, words, vocabulary)} for n in range(count)
    ]


def against(write, texts: list[str], name: str = "eval.jsonl") -> str:
    return write(name, "".join(json.dumps({"question": one, "choices": ["A", "B"]}) + "\n" for one in texts))


@pytest.mark.parametrize("vocabulary", [ENGLISH, PERSIAN])
def test_as_many_are_removed_as_hold_text_of_an_evaluation_set(run, write, write_rows, vocabulary):
    rows = rows_of(200, 30, vocabulary)
    questions = [text(5000 + n, 25, vocabulary) for n in range(40)]
    for n, question in enumerate(questions[:25]):
        piece = " ".join(question.split(" ")[5:19]).upper()
        rows[n]["prompt" if n % 2 else "completion"] += f" and so: {piece}, it says"
    path = against(write, questions)
    done = run(source=write_rows(rows), decontaminate={"against": [path]})
    leaks = done.report["leaks"]
    assert done.report["dropped"] == {"leak": 25}
    assert (leaks["rows"], leaks["texts"], leaks["common_phrases"]) == (25, 120, 0)
    assert sorted(int(example["of"].split(":")[-1]) for example in leaks["examples"]) == list(range(1, 26))
    assert done.report["rows"] == 175 == done.report["rows_in"] - 25


@pytest.mark.parametrize("vocabulary", [ENGLISH, PERSIAN])
def test_distinct_rows_are_left_alone(run, write, write_rows, vocabulary):
    path = against(write, [text(5000 + n, 40, vocabulary) for n in range(100)])
    done = run(source=write_rows(rows_of(200, 30, vocabulary)), decontaminate={"against": [path]}, split=SPLIT)
    assert done.report["leaks"] == {"rows": 0, "texts": 300, "common_phrases": 0, "examples": []}
    assert done.report["dropped"] == {}


def test_twelve_words_are_no_leak_and_thirteen_are(run, write, write_rows):
    words = text(9000, 40).split()
    rows = rows_of(20)
    rows[3]["completion"] += " " + " ".join(words[10:22])
    rows[4]["completion"] += " " + " ".join(words[10:23])
    path = write("eval.txt", "A heading\n\n" + "\n".join(words) + "\n")
    done = run(source=write_rows(rows), decontaminate={"against": [path]})
    [line] = done.dropped
    assert (line["reason"], line["of"], line["words"]) == ("leak", f"{path}:3", " ".join(words[10:23]))
    assert line["origin"].endswith(":5")
    assert run(source=write_rows(rows), decontaminate={"against": [path], "words": 12}).report["leaks"]["rows"] == 2


def test_what_meets_a_held_out_row_is_removed_from_training_only(run, write_rows):
    rows = rows_of(150)
    for n in range(0, 60, 2):
        rows[n + 1]["completion"] = rows[n]["completion"]
    before = run(source=write_rows(rows), split=SPLIT, folder="a")
    held = {row.conversation.reference() for row in before.rows("validation", "test")}
    leaking = [row for row in before.rows("train") if row.conversation.reference() in held]
    assert leaking
    after = run(source=write_rows(rows), split=SPLIT, decontaminate=True, folder="b")
    assert after.report["leaks"]["rows"] == len(leaking)
    assert {line["origin"] for line in after.dropped} == {row.origin for row in leaking}
    assert {line["of"] for line in after.dropped} <= {row.origin for row in after.rows("validation", "test")}
    for side in ("validation", "test"):
        assert before.rows(side) == after.rows(side)
    assert not held & {row.conversation.reference() for row in after.rows("train")}


def test_a_short_question_is_a_leak_as_a_whole_and_a_short_answer_is_none(run, write, write_rows):
    rows = rows_of(20)
    rows[0] = {"prompt": "پایتختِ ايران كجاست؟", "completion": "تهران"}
    rows[1] = {"prompt": "پایتخت افغانستان کجاست؟", "completion": "A"}
    rows[2] = {"prompt": "Hi", "completion": "پایتخت ایران کجاست"}
    path = against(write, ["پایتخت ایران کجاست؟", "Hi"])
    [line] = run(source=write_rows(rows), decontaminate={"against": [path]}).dropped
    assert line["origin"].endswith(":1")
    assert line["of"] == f"{path}:1"


def test_an_instruction_that_many_rows_share_is_no_leak(run, write, write_rows):
    instruction = text(7000, 16)
    rows = [{**row, "prompt": f"{instruction}: {row['prompt']}"} for row in rows_of(60)]
    path = against(write, [f"{instruction}: {text(8000, 20)}"])
    leaks = run(source=write_rows(rows), decontaminate={"against": [path]}).report["leaks"]
    assert (leaks["rows"], leaks["common_phrases"]) == (0, 4)
    rows[10:] = rows_of(60)[10:]
    leaks = run(source=write_rows(rows), decontaminate={"against": [path]}).report["leaks"]
    assert (leaks["rows"], leaks["common_phrases"]) == (10, 0)


def test_a_system_prompt_is_no_leak(run, write, write_rows):
    system = {"role": "system", "content": text(7000, 30)}
    rows = [
        {"messages": [system, {"role": "user", "content": text(n, 20)}, {"role": "assistant", "content": text(n, 9)}]}
        for n in range(9)
    ]
    path = against(write, [text(7000, 30)])
    assert run(source=write_rows(rows), decontaminate={"against": [path]}).report["dropped"] == {}


def test_when_nothing_is_left_the_reason_is_said(run, write, write_rows):
    rows = rows_of(5)
    path = against(write, [row["prompt"] for row in rows])
    with pytest.raises(DataError, match="every training row shares 13 words") as caught:
        run(source=write_rows(rows), decontaminate={"against": [path]})
    assert caught.value.where == f"{path}:1"


def test_an_evaluation_set_that_is_not_there_or_not_json_is_refused(run, write, write_rows):
    with pytest.raises(DataError, match="no file") as caught:
        run(source=write_rows(rows_of(5)), decontaminate={"against": ["none.jsonl"]})
    assert caught.value.next_step == "check prepare.decontaminate.against"
    path = write("eval.jsonl", '{"question": "x"}\n{"question": \n')
    with pytest.raises(DataError, match="not JSON") as caught:
        run(source=write_rows(rows_of(5)), decontaminate={"against": [path]})
    assert caught.value.where == f"{path}:2"


def test_another_evaluation_set_is_another_dataset(write, write_rows):
    path = against(write, ["one"])
    section = section_of(source=write_rows(rows_of(2)), decontaminate={"against": [path]})
    before = section.outside()
    against(write, ["two"])
    assert before != section.outside()
    assert f"against:{path}" in before
