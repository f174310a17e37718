"""Texts with labels, words with tags, questions about a text."""

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.formats import Unfit
from sevenfold.prepare.formats.labelled import Labelled
from sevenfold.prepare.formats.squad import Squad
from sevenfold.prepare.formats.tagged import Tagged


def turns(conversation):
    return [message.content for message in conversation.messages]


def test_a_label_is_the_reply():
    assert turns(Labelled().read({"text": "fine", "label": "good"})) == ["fine", "good"]
    asked = Labelled(text="body", label="topic", ask="Which topic? a or b")
    assert turns(asked.read({"body": "x", "topic": "a"})) == ["Which topic? a or b\n\nx", "a"]
    assert turns(Labelled().read({"text": "x", "labels": ["a", "b"]}))[1] == "a, b"
    assert turns(Labelled().read({"text": "x", "labels": []}))[1] == "none"
    assert turns(Labelled().read({"text": "x", "score": 3.5}))[1] == "3.5"


def test_numbers_get_their_names_and_a_row_without_a_label_is_no_row():
    named = Labelled(names={"0": "negative", "1": "positive"})
    assert turns(named.read({"text": "x", "label": 1}))[1] == "positive"
    with pytest.raises(DataError, match="'2' has no name"):
        named.read({"text": "x", "label": 2})
    with pytest.raises(Unfit, match="no_label"):
        named.read({"text": "x", "label": None})
    with pytest.raises(DataError, match="no column 'topic'"):
        Labelled(label="topic").read({"text": "x", "topics": "a"})


def test_tags_become_entities_and_go_on_with_the_row():
    values = {"tokens": ["on", "3", "May", "in", "Rome"], "tags": ["O", "B-DATE", "I-DATE", "O", "B-PLACE"]}
    found = Tagged(ask="Which?")
    assert turns(found.read(values)) == ["Which?\n\non 3 May in Rome", "DATE: 3 May\nPLACE: Rome"]
    assert found.fields(values) == {"tags": "O B-DATE I-DATE O B-PLACE"}
    numbered = Tagged(names=("O", "B-X"))
    assert numbered.fields({"words": '["a", "b"]', "ner_tags": [0, 1]}) == {"tags": "O B-X"}
    assert turns(numbered.read({"words": "a b", "ner_tags": [0, 0]}))[1] == "none"


def test_words_and_tags_that_do_not_go_together_are_refused():
    with pytest.raises(DataError, match="2 words and 1 tags"):
        Tagged().read({"tokens": ["a", "b"], "tags": ["O"]})
    with pytest.raises(DataError, match="tag 3 has no name"):
        Tagged().read({"tokens": ["a"], "tags": [3]})
    with pytest.raises(Unfit, match="white_space"):
        Tagged().read({"tokens": ["a b"], "tags": ["O"]})


def test_a_question_stands_before_its_text_and_the_answer_keeps_its_place():
    values = {
        "question": "Who\n\nreads?",
        "context": "We read.\n\nAnn reads.",
        "answers": {"text": ["Ann"], "answer_start": [10]},
    }
    assert turns(Squad().read(values)) == ["Who reads?\n\nWe read.\n\nAnn reads.", "Ann"]
    assert Squad().fields(values) == {"start": "10"}
    none = {**values, "answers": {"text": [], "answer_start": []}}
    assert turns(Squad().read(none))[1] == "unanswerable"
    assert Squad().fields(none) == {"start": ""}
    assert turns(Squad().read({"question": "q", "context": "c", "answer": "c"}))[1] == "c"
