"""Rows that say the same in other words or another language, planted among rows that do not."""

from __future__ import annotations

import pytest

from sevenfold.prepare.dataset import SPLITS

PAIRS = [
    ("How do I reset my password?", "What can I do to set a new password?"),
    ("The train to Berlin leaves at nine.", "Der Zug nach Berlin fährt um neun Uhr ab."),
    ("My parcel has not arrived yet.", "The package I ordered still has not been delivered."),
    ("Where can I buy a ticket for the museum?", "Où puis-je acheter un billet pour le musée ?"),
    ("What is the capital of Iran?", "پایتخت ایران کجاست؟"),
    ("The battery runs empty within an hour.", "The battery is drained after only one hour."),
]
OTHERS = [
    "Bake the bread for forty minutes.", "The stock market fell on Monday.", "Whales are mammals that live in the sea.",
    "He plays the violin in an orchestra.", "Please close the window, it is cold.", "The function returns a list.",
    "Our hotel room has no hot water.", "Photosynthesis needs light.", "The match ended in a draw.",
    "She wrote a novel about the war.", "Sort the array before you search it.", "The dentist is closed on Friday.",
]  # fmt: skip


@pytest.fixture
def rows(write_rows):
    said = [first for first, _ in PAIRS] + OTHERS + [second for _, second in PAIRS]
    return write_rows([{"prompt": text, "completion": "noted"} for text in said])


@pytest.mark.parametrize(("threshold", "planted"), [(0.6, 4), (0.5, 6)])
def test_paraphrases_and_translations_go(run, rows, threshold, planted):
    """Of six planted rows the default finds four, a lower border all; both take none of the 18 others."""
    found = run(source=rows, semantic_duplicates={"threshold": threshold})
    said = {line["messages"][0]["content"] for line in found.dropped}
    assert said <= {text for pair in PAIRS for text in pair}
    assert found.report["dropped"] == {"semantic_duplicate": planted}
    facts = found.report["semantic_duplicates"]
    assert (facts["clusters"], facts["rows"], facts["largest"]) == (planted, 2 * planted, 2)
    assert all(line["similarity"] >= facts["border_cosine_prompt"] - 2e-3 for line in found.dropped)
    assert not list(found.entry.folder.glob(".*"))


def test_no_split_parts_those_that_stay_and_the_order_does_not_matter(run, write_rows):
    said = [text for pair in PAIRS for text in pair] + OTHERS
    for texts in (said, said[::-1]):
        path = write_rows([{"prompt": text, "completion": "noted"} for text in texts])
        found = run(
            source=path, semantic_duplicates={"threshold": 0.5, "drop": False}, split={"validation": 0.3, "test": 0.3}
        )
        sides = {row.conversation.messages[0].content: side for side in SPLITS for row in found.dataset.rows(side)}
        assert len(sides) == len(said)
        assert all(sides[one] == sides[other] for one, other in PAIRS)


def test_what_near_duplicates_took_is_not_sought_again(run, write_rows):
    rows = [{"prompt": text, "completion": "noted"} for text in OTHERS]
    path = write_rows([*rows, {"prompt": OTHERS[0] + " Now.", "completion": "noted"}])
    found = run(source=path, near_duplicates={"threshold": 0.6}, semantic_duplicates=True)
    assert found.report["dropped"] == {"near_duplicate": 1}


def test_other_answers_to_one_question_stay(run, write_rows):
    answers = ["yes", "The violin is out of tune.", "Forty minutes in the oven."]
    path = write_rows([{"prompt": PAIRS[0][n % 2], "completion": answer} for n, answer in enumerate(answers)])
    found = run(source=path, semantic_duplicates=True)
    assert found.report["dropped"] == {}
