"""The files of a queue and its answers: read as written, and what is wrong is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.labels.queue import (
    META_FILE,
    REVIEW_FILE,
    Meta,
    Review,
    read_answers,
    read_meta,
    read_reviews,
    write_reviews,
)


def test_what_is_written_is_read(tmp_path):
    reviews = [Review("a:1", "سلام", "fa", {"fa": 0.6, "en": 0.4}, "uncertain", {"topic": "x"}), Review("a:2", "")]
    assert write_reviews(tmp_path, reviews, Meta(["en", "fa"], "Which?")) == 2
    assert list(read_reviews(tmp_path / REVIEW_FILE)) == reviews
    assert read_meta(tmp_path) == Meta(["en", "fa"], "Which?")
    assert json.loads((tmp_path / META_FILE).read_text()) == {
        "labels": ["en", "fa"],
        "question": "Which?",
        "multi": False,
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[]", "no answer"),
        ('{"origin": "a"}', "no answer"),
        ('{"origin": 1, "label": "x"}', "origin is 1"),
        ('{"origin": "a", "label": 3}', "label is 3"),
        ('{"origin": "a", "label": ["x", 3]}', "label is"),
    ],
)
def test_a_wrong_line_is_named(write, line, said):
    path = write("answers.jsonl", '{"origin": "a", "label": null, "extra": 1}\n\n' + line + "\n")
    with pytest.raises(DataError, match=said) as error:
        list(read_answers(Path(path)))
    assert error.value.where == f"{path}:3"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        list(read_answers(tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match="labels cannot be read"):
        read_meta(tmp_path)
