"""Augmented rows: what enters, what is refused and why, and where each comes from."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from sevenfold.errors import DataError, RecipeError

SUBJECTS = ("password", "invoice", "printer", "parcel", "کتاب", "refund", "contract", "laptop", "meeting", "ticket")
VERBS = ("lost", "broken", "late", "wrong", "missing", "stolen", "urgent", "unpaid", "blocked", "delayed")


@pytest.fixture
def rows(write_rows):
    """A hundred labelled questions; every fifth is of the rare label."""
    return write_rows([
        {
            "prompt": f"My {subject} is {verb}, what should I do now? It has number {place}{other}.",
            "completion": f"Tell us more about the {subject}.",
            "label": "rare" if (place + other) % 5 == 0 else "common",
        }
        for place, subject in enumerate(SUBJECTS)
        for other, verb in enumerate(VERBS)
    ])  # fmt: skip


def made(found):
    return [row for row in found.rows("train") if row.made_by]


def refused(found, name="augment"):
    lines = (found.entry.folder / f"refused-{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_copies_change_the_question_alone_and_name_their_row(run, rows):
    """A hundred tries; all figures add up, and the report has them."""
    found = run(source=rows, training=[{"augment": ["typos", "words", "characters", "sentences", "case_digits"]}])
    figures = found.report["training"][0]["figures"]
    assert figures["tried"] == 100
    assert figures["made"] == sum(figures["made_by_way"].values()) == len(made(found)) >= 80
    assert figures["made"] + sum(figures["refused"].values()) == 100
    assert Counter(line["reason"] for line in refused(found)) == figures["refused"]
    parents = {row.origin: row for row in found.rows("train") if not row.made_by}
    for row in made(found):
        (parent,) = row.parents
        asked, reply = row.conversation.messages
        assert asked.content != parents[parent].conversation.messages[0].content
        assert reply == parents[parent].conversation.messages[1]
        assert row.fields == {**parents[parent].fields, "made_with": row.fields["made_with"]}


def test_the_same_recipe_gives_the_same_rows(run, rows):
    one, other = (run(name, source=rows, training=["augment"]) for name in ("one", "other"))
    assert [row.conversation for row in one.rows()] == [row.conversation for row in other.rows()]


def test_only_some_rows_and_so_many_copies(run, rows):
    only = {"ways": ["typos"], "only": {"label": ["rare"]}, "copies": 4}
    found = run(source=rows, training=[{"augment": only}])
    assert {row.fields["label"] for row in made(found)} == {"rare"}
    assert found.report["training"][0]["figures"]["tried"] == 20 * 4
    half = run("half", source=rows, training=[{"augment": {"copies": 0.5}}])
    assert 35 <= half.report["training"][0]["figures"]["tried"] <= 65


def test_a_value_that_no_row_has_is_an_error(run, rows):
    with pytest.raises(DataError, match=r"no training row has label in \['rarest'\]") as caught:
        run(source=rows, training=[{"augment": {"only": {"label": ["rarest"]}}}])
    assert "label" in caught.value.alternatives


def test_borders_that_nothing_lies_between_are_refused(run, rows):
    with pytest.raises(RecipeError, match="has to be below"):
        run(source=rows, training=[{"augment": {"length": [2, 1]}}])


CONSTANT = '''
from sevenfold.prepare.augment import Augmenter

class Constant(Augmenter):
    """Says one thing."""
    text: str = ""
    def change(self, text, random):
        return self.text.replace("TEXT", text) or None
'''


@pytest.mark.parametrize(
    ("text", "reason", "count"),
    [
        ("TEXT", "equal_to_a_row", 100),
        ("TEXT  ", "equal_to_a_row", 100),
        ("", "nothing_to_change", 100),
        (" ", "empty", 100),
        ("TEXT TEXT TEXT", "length", 100),
        ("the weather in Lisbon was rather pleasant throughout last week, they said", "too_unlike", 100),
    ],
)
def test_what_may_not_enter_is_refused_by_its_reason(run, rows, write, text, reason, count):
    """Planted: a way that always makes one mistake; all hundred are found."""
    way = {"file": write("constant.py", CONSTANT), "text": text}
    found = run(source=rows, training=[{"augment": [way]}])
    assert found.report["training"][0]["figures"]["refused"] == {reason: count}
    assert not made(found)


def test_a_copy_with_words_of_a_held_out_row_is_refused(run, rows, write):
    """The words come from a test row; the same words that a parent has already are no new leak."""
    split = {"validation": 0, "test": 10}
    held = run("before", source=rows, split=split).rows("test")[0].conversation.messages[0].content
    way = {"file": write("constant.py", CONSTANT), "text": f"{held} TEXT"}
    loose = {"ways": [way], "alike": [-5, 1.0], "length": [0.1, 10]}
    found = run(source=rows, split=split, training=[{"augment": loose}])
    assert found.report["training"][0]["figures"]["refused"] == {"leak": 90}
    clean = run("clean", source=rows, split=split, training=["augment"])
    assert "leak" not in clean.report["training"][0]["figures"]["refused"]


def test_the_label_has_to_be_found_in_the_copy(run, write, write_rows):
    """Planted: a way that writes the other label's words into every copy; a harmless way loses none."""
    kinds = {"warm": "sun beach summer hot", "cold": "snow ice winter frost"}
    rows = write_rows([
        {"text": f"{kinds[label]} number {n}", "label": label} for n in range(20) for label in kinds
    ])  # fmt: skip
    way = {"file": write("constant.py", CONSTANT), "text": "snow ice winter frost snow ice number"}
    loose = {"ways": [way], "alike": [-9, 1.0], "agree": "reply"}
    found = run(source=rows, training=[{"augment": loose}])
    assert found.report["training"][0]["figures"]["refused"] == {"other_label": 20, "equal_to_a_row": 19}
    harmless = run("harmless", source=rows, training=[{"augment": {"ways": ["typos"], "agree": "reply"}}])
    assert "other_label" not in harmless.report["training"][0]["figures"]["refused"]


def test_personal_data_in_refused_copies_is_masked(run, write, write_rows):
    rows = write_rows([{"prompt": f"Write to someone{n}@firm.ir, number {n}", "completion": "Yes"} for n in range(5)])
    way = {"file": write("constant.py", CONSTANT), "text": "TEXT"}
    found = run(source=rows, training=[{"augment": [way]}])
    said = json.dumps(refused(found))
    assert "firm.ir" not in said
    assert said.count("[EMAIL_1]") == 5
