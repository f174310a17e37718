"""Synthetic rows, from a real service over HTTP that writes sums by rules, right ones and planted faults."""

from __future__ import annotations

import json
import re
from collections import Counter
from hashlib import sha256

import pytest

from sevenfold.errors import DataError, MachineError, RecipeError
from tests.generate.judging import service

SUM = re.compile(r"What is (\d+) plus (\d+)")
ANSWER = re.compile(r"<answer>\n(.*?)\n</answer>", re.S)
LAST = re.compile(r"What is (\d+) plus (\d+)(?!.*What is)", re.S)
THINGS = ("apples", "boats", "candles", "doors", "engines", "flowers", "gloves", "horses", "islands", "jars")


def written(one: int, other: int, reply: str = "", words: str = "") -> str:
    question = f"{words or THINGS[one % 10]}: What is {one} plus {other} {THINGS[other % 10]}?"
    return f"<row><prompt>{question}</prompt><reply>{reply or one + other}</reply></row>"


def numbers(prompt: str, count: int) -> list[int]:
    """Numbers that depend on the whole prompt, as a model's words do."""
    digest = sha256(prompt.encode()).digest()
    return [1000 + int.from_bytes(digest[place * 3 : place * 3 + 3]) for place in range(count)]


def judged(prompt: str) -> tuple[int, str, None]:
    """What belongs to the task is a sum; what is right is a sum that is, and whatever else is said."""
    found = SUM.search(prompt.split("<conversation>")[1])
    if "same task" in prompt:
        return 200, "9" if found else "1", None
    right = found is None or str(int(found[1]) + int(found[2])) in ANSWER.search(prompt)[1]
    return 200, "9" if right else "1", None


def faulty(prompt: str) -> tuple[int, str, None]:
    """One right row, and of each fault one."""
    if "You judge" in prompt:
        return judged(prompt)
    a, b, c, d, e, f, g, h = numbers(prompt, 8)
    shown = re.search(r"<row>.*?</row>", prompt)[0]
    return (
        200,
        "\n".join([
            written(a, b),
            written(c, d, reply=str(c + d + 1)),
            shown,
            written(e, f, words="write to ali@firm.ir"),
            f"<row><prompt>Who is number {g}?</prompt><reply>Number {h}</reply></row>",
            "<row><prompt>What is",
        ]),
        None,
    )  # fmt: skip


@pytest.fixture
def rows(write_rows):
    return write_rows([
        {"prompt": f"{THINGS[n % 10]}: What is {n} plus {n * 7} {THINGS[n * 3 % 10]}?", "completion": str(n * 8),
         "level": "hard" if n % 4 == 0 else "easy"}
        for n in range(10, 50)
    ])  # fmt: skip


def change(address: str, **fields):
    return {"synthesise": {"endpoint": {"address": address, "model": "writer"}, **fields}}


def made(found):
    return [row for row in found.rows("train") if row.made_by]


def refused(found):
    lines = (found.entry.folder / "refused-synthesise.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def requests(found):
    lines = (found.entry.folder / "requests-synthesise.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_planted_fault_is_refused_by_its_name(run, rows):
    """Ten rounds of six drafts: the ten right ones enter, and each fault is refused nine times; no false alarm."""
    with service(faulty) as served:
        found = run(source=rows, training=[change(served.address, count=10)])
    figures = found.report["training"][0]["figures"]
    faults = ("judged_accuracy", "near_duplicate", "personal_data", "judged_relevance", "unreadable")
    # The tenth right row ends the work: of the last round the faults behind it are not looked at.
    assert figures["made"] == len(made(found)) == 10
    assert figures["rounds"] == 10
    assert figures["refused"] == dict.fromkeys(faults, 9)
    assert Counter(line["reason"] for line in refused(found)) == figures["refused"]
    for row in made(found):
        one, other = map(int, SUM.search(row.conversation.messages[0].content).groups())
        assert row.conversation.reference() == str(one + other)
        assert row.fields == {"synthetic": "true", "made_with": "one_prompt"}
        assert len(row.parents) == 3
        assert all(parent.startswith(rows) for parent in row.parents)
    assert "ali@firm.ir" not in json.dumps(refused(found))


def test_a_killed_run_goes_on_without_asking_again(run, rows):
    """The service breaks after twelve requests; the next run asks only for what is missing."""
    count = 0

    def breaking(prompt):
        nonlocal count
        count += 1
        return faulty(prompt) if count <= 12 else (400, "out of credit", None)

    with service(breaking) as served, pytest.raises(MachineError, match="cannot be asked"):
        run(source=rows, training=[change(served.address, count=5)])
    with service(faulty) as served:
        found = run(source=rows, training=[change(served.address, count=5)])
        whole = run("whole", source=rows, training=[change(served.address, count=5)])
    figures, once = (one.report["training"][0]["figures"] for one in (found, whole))
    assert figures["answers_kept_from_before"] == 12
    assert figures["requests"] == once["requests"] - 12
    assert [row.conversation for row in made(found)] == [row.conversation for row in made(whole)]
    assert len(requests(found)) == len({line["key"] for line in requests(found)}) == once["requests"]


def test_a_line_that_a_kill_cut_off_is_asked_for_again(run, rows):
    with service(faulty) as served:
        first = run(source=rows, training=[change(served.address, count=2)])
        path = first.entry.folder / "requests-synthesise.jsonl"
        path.write_bytes(path.read_bytes()[:-20])
        again = run(source=rows, training=[change(served.address, count=2)])
    assert again.report["training"][0]["figures"]["requests"] == 1
    assert len(made(again)) == 2


def refining(prompt: str) -> tuple[int, str, None]:
    """Plans two subjects, writes a wrong sum, finds the fault, writes it right."""
    if "You judge" in prompt:
        return judged(prompt)
    a, b = numbers(prompt.split("Somebody wrote")[0], 2)
    if "Plan 2 new rows" in prompt:
        return 200, f"1. {THINGS[a % 10]} number {a}\n2. {THINGS[b % 10]} number {b}", None
    one, other = map(int, LAST.search(prompt).groups())
    if "Its faults" in prompt:
        return 200, written(one, other), None
    if "Name its faults" in prompt:
        return 200, "The sum is wrong.", None
    return 200, written(a, b, reply="7"), None


def test_refine_writes_again_what_its_critique_found(run, rows):
    how = {"refine": {"subjects": 2}}
    with service(refining) as served:
        found = run(source=rows, training=[change(served.address, how=how, count=4)])
        plain = run("plain", source=rows, training=[
            change(served.address, how={"refine": {"subjects": 2, "rewrites": 0}}, count=4, rounds=3)
        ])  # fmt: skip
    assert len(made(found)) == 4
    assert not found.report["training"][0]["figures"]["refused"]
    assert found.report["training"][0]["figures"]["rounds"] == 2
    assert plain.report["training"][0]["figures"]["refused"] == {"judged_accuracy": 6}
    assert "3 rounds" in plain.report["training"][0]["said"]


def test_values_take_turns_and_new_rows_get_them(run, rows):
    with service(faulty) as served:
        found = run(source=rows, training=[change(served.address, count=6, by="level")])
    assert Counter(row.fields["level"] for row in made(found)) == {"easy": 3, "hard": 3}
    level = {row.origin: row.fields["level"] for row in found.rows("train") if not row.made_by}
    assert all({level[parent] for parent in row.parents} == {row.fields["level"]} for row in made(found))


def test_words_of_a_held_out_row_do_not_come_back(run, write_rows):
    """The service has read the test rows (as large models have) and writes one of them."""
    rows = write_rows([
        {"prompt": f"In which year did the {n}th king of the northern isles build a harbour?", "completion": f"In {n}"}
        for n in range(900, 940)
    ])  # fmt: skip
    split = {"validation": 0, "test": 5}
    held = run("before", source=rows, split=split).rows("test")[0].conversation.messages
    reply = f"Long after he was crowned, {held[1].content}, since the old one was full of sand and no ship came in"
    answer = f"<row><prompt>Now, {held[0].content} Say why.</prompt><reply>{reply}</reply></row>"
    with service(lambda prompt: (200, answer, None)) as served:
        found = run(source=rows, split=split, training=[change(served.address, rounds=3, judge=None)])
    assert found.report["training"][0]["figures"]["refused"] == {"leak": 3}


def test_languages_and_lengths(run, rows):
    texts = (
        "<row><prompt>Wie viele Äpfel liegen heute noch in unserem großen Korb?</prompt>"
        "<reply>Es sind sieben Äpfel</reply></row>"
        "<row><prompt>x</prompt><reply></reply></row>"
        "<row><prompt>How many of these apples are there left for us today?</prompt>"
        "<reply>There are seven of them left</reply></row>"
        f"<row><prompt>{'long ' * 100}</prompt><reply>yes</reply></row>"
    )
    filters = {"languages": ["en"], "characters": [2, 200]}
    with service(lambda prompt: (200, texts, None)) as served:
        found = run(source=rows, training=[change(served.address, rounds=1, judge=None, filters=filters)])
    assert found.report["training"][0]["figures"]["refused"] == {"language": 1, "empty": 1, "length": 1}
    assert len(made(found)) == 1


def test_the_address_comes_from_the_environment_and_no_key_is_kept(run, rows, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    with pytest.raises(RecipeError, match="'SYNTHESIS_URL' with the address of a model is not set"):
        run(source=rows, training=[change("$SYNTHESIS_URL")])
    with service(faulty) as served:
        monkeypatch.setenv("SYNTHESIS_URL", served.address)
        found = run(source=rows, training=[change("$SYNTHESIS_URL", count=1)])
        assert {asked["key"] for asked in served.asked} == {"Bearer very-secret"}
    for path in found.entry.folder.iterdir():
        assert b"very-secret" not in path.read_bytes()
    with pytest.raises(RecipeError, match="carries a user or a password"):
        run(source=rows, training=[change("http://me:pass@host/v1")])


def test_rows_that_cannot_be_examples_are_an_error(run, rows):
    with pytest.raises(DataError, match="no training row can be an example with a value in 'kind'") as caught:
        run(source=rows, training=[change("http://127.0.0.1:9/v1", by="kind")])
    assert "level" in caught.value.alternatives
