"""What a step of `prepare` writes the page reads, and what the page writes a step reads."""

from __future__ import annotations

from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.page.desk import Desk
from sevenfold.prepare.labels.queue import META_FILE, REVIEW_FILE, Answer, Meta, Review, write_reviews
from sevenfold.prepare.labels.review import Asked, read_review


def test_a_queue_is_read_and_its_answers_are_read_back(tmp_path) -> None:
    rows = [
        Review("a.csv:2", "خوب بود", "good", {"good": 0.6, "bad": 0.4}, "near", {"city": "تهران"}),
        Review("a.csv:3", "no", None),
    ]
    write_reviews(tmp_path, rows, Meta(["good", "bad"], "How was it?"))
    assert (tmp_path / META_FILE).is_file()
    queue = read_review(tmp_path / REVIEW_FILE, Asked())
    assert (queue.labels, queue.question, queue.multi, queue.unfit) == (["good", "bad"], "How was it?", False, 0)
    assert [(item.origin, item.text, item.label, item.context) for item in queue.items] == [
        (row.origin, row.text, row.label, row.context) for row in rows
    ]
    desk = Desk(queue, Answers(tmp_path / "answers.jsonl"), "ada")
    desk.answer({"origin": "a.csv:2", "label": "bad", "seconds": 2, "note": "ironic"})
    desk.answer({"origin": "a.csv:3", "label": None, "seconds": 1})
    desk.undo()
    found = Answers(desk.answers.path).held
    assert {origin: [one.label for one in by.values()] for origin, by in found.items()} == {
        "a.csv:2": ["bad"],
        "a.csv:3": [],
    }
    answer = found["a.csv:2"]["ada"]
    assert answer == Answer("a.csv:2", "bad", "ada", 2.0, answer.at, "ironic")
