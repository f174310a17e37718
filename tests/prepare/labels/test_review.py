"""Reading a queue or a plain file of rows."""

from __future__ import annotations

import json

import pytest

from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.labels.review import Asked, read_review
from tests.prepare.labels.made import LABELS, PERSIAN, write_review


def rows_file(folder, *rows: object):
    path = folder / "rows.jsonl"
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def test_a_queue(tmp_path) -> None:
    review = read_review(write_review(tmp_path, multi=True), Asked())
    assert (review.labels, review.question, review.multi) == (LABELS, "How is the review?", True)
    assert review.items[1].text == PERSIAN
    assert review.items[0].context == {"source": "shop", "شهر": "تهران"}
    assert review.places["reviews.csv:6"] == 4


def test_the_command_line_goes_before_the_queue(tmp_path) -> None:
    asked = Asked([*LABELS, "mixed"], "What is it?", True)
    review = read_review(write_review(tmp_path), asked)
    assert (review.labels[-1], review.question, review.multi) == ("mixed", "What is it?", True)


def test_a_plain_file_of_rows(tmp_path) -> None:
    rows = ({"prompt": "a", "stars": 3}, "", {"prompt": "b", "label": "x", "more": "m"})
    review = read_review(rows_file(tmp_path, *rows), Asked(["x", "y"]))
    assert [item.origin for item in review.items] == ["rows.jsonl:1", "rows.jsonl:3"]
    assert review.items[0].context == {"stars": "3"}
    assert (review.items[1].suggested, review.items[1].context) == (["x"], {"more": "m"})
    named = read_review(rows_file(tmp_path, {"text": "a", "body": "b"}), Asked(["x", "y"], text="body"))
    assert (named.items[0].text, named.items[0].context) == ("b", {"text": "a"})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["{"], ["no JSON", "rows.jsonl:1"]),
        ([{"text": "a"}, [1]], ["the line is list", "rows.jsonl:2"]),
        ([{"txt": "a"}], ["no text", "--text COLUMN", "txt"]),
        ([{"text": 3}], ["no text in 'text'", "rows.jsonl:1"]),
        ([{"text": "a", "label": 3.5}], ["the label 3.5 is no text"]),
        ([{"text": "a", "scores": [1]}], ["the scores [1]"]),
        ([{"text": "a", "origin": "q"}, {"text": "b", "origin": "q"}], ["two rows have the origin 'q'"]),
        ([], ["no rows to label"]),
    ],
)
def test_what_cannot_be_used_is_said_with_its_place(tmp_path, rows, said) -> None:
    with pytest.raises(DataError) as caught:
        read_review(rows_file(tmp_path, *rows), Asked(["x", "y"]))
    assert all(part in str(caught.value) for part in said), str(caught.value)


def test_without_labels_it_says_how_to_name_them(tmp_path) -> None:
    with pytest.raises(RecipeError, match="--labels positive,negative"):
        read_review(rows_file(tmp_path, {"text": "a"}), Asked())


def test_other_bytes_than_utf8_are_said(tmp_path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "\xff"}\n')
    with pytest.raises(DataError, match="no UTF-8"):
        read_review(path, Asked(["x", "y"]))


def test_a_description_that_cannot_be_used_is_said(tmp_path) -> None:
    path = write_review(tmp_path)
    (tmp_path / "review.meta.json").write_text('{"labels": "positive"}')
    with pytest.raises(DataError, match="description"):
        read_review(path, Asked())


def test_a_label_that_cannot_be_chosen_is_shown_and_not_suggested(tmp_path) -> None:
    rows = ({"text": "a", "label": "old"}, {"text": "b", "label": "x"}, {"text": "c", "label": ["x", "y"]})
    review = read_review(rows_file(tmp_path, *rows), Asked(["x", "y"]))
    assert [item.suggested for item in review.items] == [[], ["x"], []]
    assert [item.context for item in review.items] == [{"label": "old"}, {}, {"label": "x, y"}]
    assert review.unfit == 2


def test_numbered_labels(tmp_path) -> None:
    review = read_review(rows_file(tmp_path, {"text": "a", "label": 1}, {"text": "b", "label": 0}), Asked())
    assert (review.labels, review.items[0].label) == (["0", "1"], "1")
