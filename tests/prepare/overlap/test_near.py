"""Near-duplicates: as many are found as were planted, and none among distinct rows."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.console import Console
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.overlap.bands import banding
from sevenfold.prepare.overlap.near import Near, find_near
from sevenfold.prepare.overlap.settings import NearDuplicates
from sevenfold.prepare.overlap.shingles import similarity
from sevenfold.prepare.overlap.signing import Sign, SignedRows
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.packing import packed
from sevenfold.prepare.places.here import Alone
from sevenfold.prepare.shelf import row_writer
from tests.prepare.overlap.texts import ENGLISH, PERSIAN, edited, text

SPLIT = {"validation": 0.2, "test": 0.2}


def pair(prompt: str, reply: str, **fields: str) -> dict[str, str]:
    return {"prompt": prompt, "completion": reply, **fields}


def planted(vocabulary: list[str], words: int, count: int, copies: int) -> list[dict[str, str]]:
    """Distinct rows; the first ``copies`` of them again, one word of forty changed."""
    rows = [pair(text(n, words, vocabulary), text(1000 + n, words, vocabulary)) for n in range(count)]
    changes = max(1, words // 40)
    again = [pair(edited(row["prompt"], changes), row["completion"]) for row in rows[:copies]]
    return rows + again


@pytest.mark.parametrize(("vocabulary", "words"), [(ENGLISH, 12), (ENGLISH, 120), (PERSIAN, 12), (PERSIAN, 120)])
def test_as_many_are_found_as_were_planted(run, write_rows, vocabulary, words):
    rows = planted(vocabulary, words, 150, 40)
    done = run(source=write_rows(rows), near_duplicates=True)
    facts = done.report["near_duplicates"]
    assert done.report["dropped"] == {"near_duplicate": 40}
    assert (facts["clusters"], facts["rows"], facts["dropped"], facts["largest"]) == (40, 80, 40, 2)
    assert done.report["rows"] == 150


@pytest.mark.parametrize("vocabulary", [ENGLISH, PERSIAN])
@pytest.mark.parametrize("words", [4, 15, 38, 42, 100])
def test_distinct_rows_are_left_alone(run, write_rows, vocabulary, words):
    rows = [pair(text(n, words, vocabulary), text(1000 + n, words, vocabulary)) for n in range(150)]
    done = run(source=write_rows(rows), near_duplicates=True)
    assert done.report["dropped"] == {}
    assert done.report["near_duplicates"]["rows"] == 0


def test_a_dropped_row_names_the_one_that_stays_and_how_alike_they_are(run, write_rows):
    whole = text(1, 60)
    path = write_rows([pair("Hi there", "Good day"), pair(edited(whole, 1), "Yes"), pair(whole + " and on", "Yes")])
    line = run(source=path, near_duplicates=True).dropped[0]
    assert (line["reason"], line["origin"], line["of"]) == ("near_duplicate", f"{path}:2", f"{path}:3")
    one, two = (words_of(f"{prompt}\nYes") for prompt in (edited(whole, 1), whole + " and on"))
    assert line["similarity"] == round(similarity(one, two), 4) >= 0.8
    assert line["messages"][1]["content"] == "Yes"


def test_other_answers_to_the_same_are_kept_but_never_parted(run, write_rows):
    rows = [pair(text(n, 60), text(500 + n, 12)) for n in range(60)]
    rows += [pair(edited(row["prompt"], 1), text(700 + n, 2)) for n, row in enumerate(rows[:30])]
    done = run(source=write_rows(rows), near_duplicates={"threshold": 0.6}, split=SPLIT)
    assert done.report["dropped"] == {}
    assert done.report["near_duplicates"]["clusters"] == 30
    assert_together(done, 0.6)


def test_judged_rows_stay_when_they_judge_otherwise(run, write_rows):
    asked = text(1, 60)
    rows = [
        {"prompt": asked, "completion": "Yes, it is", "label": True},
        {"prompt": edited(asked, 1), "completion": "Yes, it is", "label": False},
        {"prompt": asked + " then", "completion": "Yes, it is", "label": False},
    ]
    done = run(source=write_rows(rows), near_duplicates=True)
    assert done.report["dropped"] == {"near_duplicate": 1}
    assert done.dropped[0]["origin"].endswith(":2")


def test_together_without_dropping(run, write_rows):
    done = run(source=write_rows(planted(ENGLISH, 60, 100, 50)), near_duplicates={"drop": False}, split=SPLIT)
    assert done.report["dropped"] == {}
    assert done.report["near_duplicates"]["clusters"] == 50
    assert_together(done, 0.8)


def test_without_it_the_same_rows_are_parted(run, write_rows):
    done = run(source=write_rows(planted(ENGLISH, 60, 100, 50)), split=SPLIT)
    with pytest.raises(AssertionError):
        assert_together(done, 0.8)
    assert done.report["near_duplicates"] == {}


def assert_together(done, threshold: float) -> None:
    sides = [
        (side, words_of("\n".join(message.content for message in row.conversation.messages)))
        for side in ("train", "validation", "test")
        for row in done.rows(side)
    ]
    for (side, words), (other_side, other) in combinations(sides, 2):
        if side != other_side and set(words) & set(other):
            assert similarity(words, other) < threshold


def test_the_order_of_rows_does_not_matter(run, write_rows):
    rows = planted(ENGLISH, 30, 60, 40)
    first = run(source=write_rows(rows, "a.jsonl"), near_duplicates=True, split=SPLIT, folder="a")
    second = run(source=write_rows(rows[::-1], "b.jsonl"), near_duplicates=True, split=SPLIT, folder="b")
    for side in ("train", "validation", "test"):
        assert {row.conversation for row in first.rows(side)} == {row.conversation for row in second.rows(side)}


def test_letter_forms_marks_and_digits_do_not_part_persian_rows(run, write_rows):
    rows = [pair("مؤلّفِ كتاب‌هاي سال ۱۴۰۳ كيست؟", "نمي‌دانم"), pair("مؤلف کتاب های سال 1403 کیست", "نمی دانم")]
    assert run(source=write_rows(rows), near_duplicates=True).report["dropped"] == {"near_duplicate": 1}


def test_a_script_without_spaces(run, write_rows):
    chinese = "".join(chr(0x4E00 + (37 * n * n) % 2000) for n in range(120))
    other = "".join(chr(0x5E00 + (41 * n * n) % 2000) for n in range(120))
    rows = [pair(chinese, "好"), pair(chinese[:60] + "的" + chinese[61:], "好"), pair(other, "好")]
    assert run(source=write_rows(rows), near_duplicates=True).report["dropped"] == {"near_duplicate": 1}


def test_a_pair_on_both_sides_of_the_border_between_characters_and_words(run, write_rows):
    shorter = text(3, 37)
    rows = [pair(shorter, "Yes"), pair(f"{shorter} and two more", "Yes")]
    assert run(source=write_rows(rows), near_duplicates=True).report["dropped"] == {"near_duplicate": 1}


def test_very_many_copies_take_time_in_proportion(run, write_rows):
    rows = [pair(f"{text(1, 30)} x{n}", "Yes") for n in range(600)]
    done = run(source=write_rows(rows), near_duplicates=True)
    assert done.report["rows"] < 5
    assert done.report["near_duplicates"]["clusters"] <= done.report["rows"]


ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=16)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=ROWS, drop=st.booleans(), threshold=st.sampled_from([0.5, 0.7, 0.9]))
def test_what_is_dropped_and_what_is_together_is_alike(tmp_path, rows, drop, threshold):
    texts = [edited(text(number, 25), changes) for number, changes in rows]
    near = near_of(tmp_path, texts, NearDuplicates(threshold=threshold, drop=drop))
    words = [words_of(f"{one}\nYes") for one in texts]
    for row, twin in near.twins.items():
        assert twin.similarity == similarity(words[row], words[twin.row]) >= threshold
        assert twin.row not in near.twins
    clusters = near.clusters.sets()
    members = [row for cluster in clusters.values() for row in cluster]
    assert len(members) == len(set(members))
    assert set(near.twins) <= set(members)
    assert drop or not near.twins
    for cluster in clusters.values():
        for row in cluster:
            assert any(similarity(words[row], words[other]) >= threshold for other in cluster if other != row)
    for row, other in combinations(range(len(texts)), 2):
        if texts[row] == texts[other]:
            assert near.clusters.root(row) == near.clusters.root(other)
            assert not drop or row in near.twins or other in near.twins


def near_of(folder: Path, texts: list[str], chosen: NearDuplicates) -> Near:
    path = folder / "rows.arrow"
    with row_writer(path) as write:
        for one in texts:
            write(row_of(one))
    return find_near(path, chosen, [hash(one) % 2**64 for one in texts], Console(quiet=True), Alone())


def row_of(content: str) -> Row:
    return Row(Conversation((Message("user", content), Message("assistant", "Yes"))), "rows:1")


def test_a_row_keeps_232_bytes_of_signature_on_the_disk_as_long_as_they_are_needed(tmp_path):
    rows = packed([row_of(text(n, 100)) for n in range(50)])
    with SignedRows(tmp_path) as found:
        found.add(Sign(banding(0.8, 128), 0.8).sign(rows))
        keys, sketches = found.signatures()
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) == 50 * 232
        assert (keys.shape, sketches.shape) == ((50, 21), (50, 64))
        assert len(set(keys[:, 0].tolist())) == 50
    assert not list(tmp_path.iterdir())
