"""A queue goes out, is answered as each tool writes its answers, and comes back the same."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.exchange import EXCHANGES
from sevenfold.prepare.labels.returning import detect, exchange_named, take
from sevenfold.prepare.labels.review import Asked, Queue, read_review
from tests.prepare.labels.made import PERSIAN, lines, write_review

GIVEN = {
    "reviews.csv:2": ["negative"],
    "reviews.csv:3": ["positive"],
    "reviews.csv:4": ["negative"],
    "reviews.csv:6": ["neutral"],
}
"""What the person at the tool says; the row :5 is not answered."""
SEVERAL = {**GIVEN, "reviews.csv:3": ["positive", "neutral"]}
NOTE = ("reviews.csv:4", "wants money, تومان")


def dump(path: Path, rows: list[dict]) -> Path:
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return path


def dump_lines(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def note_of(origin: str) -> list[str]:
    return [NOTE[1]] if origin == NOTE[0] else []


def by_label_studio(file: Path, given: dict[str, list[str]]) -> Path:
    """The export ``JSON``: tasks as they went in, with an id and annotations."""
    tasks = []
    for number, task in enumerate(json.loads(file.read_text()), start=1):
        origin = task["data"]["origin"]
        annotations = []
        if origin in given:
            result: list[dict[str, Any]] = [
                {"id": f"r{number}", "from_name": "label", "to_name": "text", "type": "choices", "origin": "manual",
                 "value": {"choices": given[origin]}}
            ]  # fmt: skip
            result += [
                {
                    "id": f"n{number}",
                    "from_name": "note",
                    "to_name": "text",
                    "type": "textarea",
                    "value": {"text": [text]},
                }
                for text in note_of(origin)
            ]
            annotations = [
                {"id": number, "completed_by": 1, "result": result, "was_cancelled": False, "ground_truth": False,
                 "created_at": "2026-03-09T22:16:08.728353Z", "updated_at": "2026-03-09T22:16:08.728378Z",
                 "lead_time": 4.288, "task": number}
            ]  # fmt: skip
        tasks.append(
            {**task, "id": number, "annotations": annotations, "project": 1, "total_annotations": len(annotations)}
        )
    return dump(file.with_name("answered.json"), tasks)


def by_label_studio_min(file: Path, given: dict[str, list[str]]) -> Path:
    """The export ``JSON-MIN``: one flat object for each annotation."""
    rows = []
    for number, task in enumerate(json.loads(file.read_text()), start=1):
        origin = task["data"]["origin"]
        if origin in given:
            labels = given[origin]
            answer = {
                "label": labels[0] if len(labels) == 1 else {"choices": labels},
                "annotator": 1,
                "annotation_id": number,
            }
            notes = {"note": note_of(origin)[0]} if note_of(origin) else {}
            times = {"created_at": "2026-03-09T22:16:08Z", "updated_at": "2026-03-09T22:16:08Z", "lead_time": 4.288}
            rows.append({**task["data"], "id": number, **answer, **notes, **times})
    return dump(file.with_name("answered.json"), rows)


def by_doccano(file: Path, given: dict[str, list[str]]) -> Path:
    """One file a person in an archive."""
    rows = [
        {**row, "id": number, "label": given.get(row["origin"], []), "Comments": note_of(row["origin"])}
        for number, row in enumerate(lines(file), start=1)
    ]
    inner = dump_lines(file.with_name("1.jsonl"), rows)
    path = file.with_name("answered.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "1.jsonl")
    return path


def by_prodigy(file: Path, given: dict[str, list[str]]) -> Path:
    """``prodigy db-out``: what was answered, with hashes, session and time."""
    rows = []
    for row in lines(file):
        if row["origin"] in given:
            note = {"note": note_of(row["origin"])[0]} if note_of(row["origin"]) else {}
            answer = {"accept": given[row["origin"]], "answer": "accept", "_view_id": "choice", **note}
            hidden = {"_input_hash": 1, "_task_hash": 2, "_annotator_id": "1", "_session_id": "1"}
            rows.append({**row, **answer, **hidden, "_timestamp": 1773094568})
    return dump_lines(file.with_name("answered.jsonl"), rows)


def by_argilla(file: Path, given: dict[str, list[str]]) -> Path:
    """``records.to_json``: responses by question, each of a user."""
    records = json.loads(file.read_text())
    for number, record in enumerate(records):
        labels = given.get(record["id"])
        if labels:
            several = isinstance(record["suggestions"].get("label", {}).get("value"), list) or len(labels) > 1
            record["responses"] = {"label": [{"value": labels if several else labels[0], "user_id": "1"}]}
            if note_of(record["id"]):
                record["responses"]["note"] = [{"value": NOTE[1], "user_id": "1"}]
        record["_server_id"] = f"3fa85f64-{number}"
    return dump(file.with_name("answered.json"), records)


def by_csv(file: Path, given: dict[str, list[str]]) -> Path:
    """Filled in and saved by a spreadsheet of a country that writes ``;``."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows:
        row["label"] = " | ".join(given.get(row["origin"], []))
        row["note"], row["annotator"] = " ".join(note_of(row["origin"])), "1"
    path = file.with_name("answered.csv")
    with path.open("w", encoding="utf-8", newline="") as opened:
        table = csv.DictWriter(opened, rows[0], delimiter=";")
        table.writeheader()
        table.writerows(rows)
    return path


TOOLS = {
    "label-studio": by_label_studio,
    "label_studio": by_label_studio_min,
    "doccano": by_doccano,
    "prodigy": by_prodigy,
    "argilla": by_argilla,
    "csv": by_csv,
}


@pytest.fixture
def review(tmp_path) -> Queue:
    return read_review(write_review(tmp_path), Asked())


def kept(answers: Answers) -> dict[str, Any]:
    return {origin: one.label for origin, of in answers.held.items() for name, one in of.items() if name == "1"}


@pytest.mark.parametrize("multi", [False, True], ids=["one", "several"])
@pytest.mark.parametrize("tool", TOOLS)
def test_out_answered_and_back(tmp_path, tool, multi) -> None:
    review = read_review(write_review(tmp_path, multi), Asked())
    exchange = exchange_named(tool)
    file = exchange.write(review, tmp_path / f"out{exchange.suffix}")[0]
    given = SEVERAL if multi else GIVEN
    answered = TOOLS[tool](file, given)
    answers = Answers(tmp_path / "answers.jsonl")
    assert type(detect(answered)) is type(exchange)
    taken = take(detect(answered), answered, review, answers, None)
    assert kept(answers) == (given if multi else {origin: labels[0] for origin, labels in given.items()})
    assert answers.held[NOTE[0]]["1"].note == NOTE[1]
    assert taken.counts["answers"] == 4
    assert set(+taken.counts) <= {"answers", "not answered"}
    again = take(detect(answered), answered, review, answers, None)
    assert (again.counts["answers"], again.counts["there already"]) == (0, 4)
    assert len(lines(answers.path)) == 4


def test_every_format_is_tried() -> None:
    assert {name.replace("-", "_") for name in TOOLS} == set(EXCHANGES.names())


def test_times_come_back_where_the_tool_keeps_them(review, tmp_path) -> None:
    exchange = exchange_named("label-studio")
    answered = by_label_studio(exchange.write(review, tmp_path / "out.json")[0], GIVEN)
    answers = Answers(tmp_path / "answers.jsonl")
    take(exchange, answered, review, answers, "ada")
    row = lines(answers.path)[0]
    assert (row["seconds"], row["at"], row["annotator"]) == (4.3, "2026-03-09T22:16:08.728378Z", "ada")


def test_label_studio_gets_its_interface_and_the_suggestions(review, tmp_path) -> None:
    tasks, config = exchange_named("label-studio").write(review, tmp_path / "tasks.json")
    first, second, third, *_ = json.loads(tasks.read_text())
    assert first["predictions"] == [
        {"model_version": "sevenfold", "score": 0.91,
         "result": [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": ["positive"]}}]}
    ]  # fmt: skip
    assert second["data"]["text"] == PERSIAN
    assert "predictions" not in third
    text = config.read_text()
    assert '<Text name="text" value="$text" />' in text
    assert 'choice="single"' in text
    assert text.count("<Choice ") == 3


def test_doccano_gets_no_suggestion_as_an_answer(review, tmp_path) -> None:
    rows, labels = exchange_named("doccano").write(review, tmp_path / "rows.jsonl")
    assert all(row["label"] == [] for row in lines(rows))
    assert lines(rows)[0]["suggested"] == "positive"
    assert [label["text"] for label in json.loads(labels.read_text())] == review.labels


def test_a_text_that_looks_like_a_formula_is_no_formula_in_the_table(review, tmp_path) -> None:
    (file,) = exchange_named("csv").write(review, tmp_path / "rows.csv")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        texts = [row["text"] for row in csv.DictReader(opened)]
    assert texts[3] == "'=1+1 it came"
    assert texts[1] == PERSIAN


def test_odd_rows_are_counted_and_the_first_are_named(review, tmp_path) -> None:
    good = {"text": "t", "origin": "reviews.csv:2", "label": ["positive"]}
    rows = [
        good,
        {**good, "label": ["postive"]},
        {**good, "origin": "reviews.csv:77"},
        {**good, "origin": "reviews.csv:3", "label": ["positive", "neutral"]},
        {"text": "t", "label": ["positive"]},
        {**good, "origin": "reviews.csv:4", "label": []},
        {**good, "origin": "reviews.csv:5", "label": [3]},
    ]
    answers = Answers(tmp_path / "answers.jsonl")
    taken = take(exchange_named("doccano"), dump_lines(tmp_path / "in.jsonl", rows), review, answers, "ada")
    assert +taken.counts == {
        "answers": 1,
        "unknown labels": 2,
        "rows that are not in the queue": 1,
        "several labels where one is asked": 1,
        "without the row's origin": 1,
        "not answered": 1,
    }
    assert taken.examples["unknown labels"] == ["postive", "3"]
    assert taken.examples["rows that are not in the queue"] == ["reviews.csv:77"]
    assert len(lines(answers.path)) == 1


def test_rows_that_a_tool_passed_over_are_passed_over(review, tmp_path) -> None:
    rows = [
        {"text": "a", "origin": "reviews.csv:2", "accept": [], "options": [], "answer": "ignore"},
        {"text": "a", "meta": {"origin": "reviews.csv:3"}, "label": "positive", "answer": "reject"},
        {"text": "a", "meta": {"origin": "reviews.csv:4"}, "label": "positive", "answer": "accept"},
    ]
    answers = Answers(tmp_path / "answers.jsonl")
    take(exchange_named("prodigy"), dump_lines(tmp_path / "in.jsonl", rows), review, answers, "1")
    assert kept(answers) == {"reviews.csv:2": None, "reviews.csv:3": None, "reviews.csv:4": "positive"}
    cancelled = {"data": {"origin": "reviews.csv:6"}, "annotations": [{"was_cancelled": True, "result": []}]}
    take(exchange_named("label-studio"), dump(tmp_path / "in.json", [cancelled]), review, answers, "1")
    assert kept(answers)["reviews.csv:6"] is None


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.json", b"{"), ("a.json", b"[[1]]"), ("a.jsonl", b"[1]\n"), ("a.zip", b"PK no"), ("a.csv", b"origin,x\n1,2\n"),
     ("a.csv", b"origin,label\n\xff,x\n"), ("a.jsonl", b'{"text": "\xff"}\n')],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_said(review, tmp_path, name, content) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    by_suffix = {
        ".json": ("label-studio", "argilla"),
        ".jsonl": ("doccano", "prodigy"),
        ".zip": ("doccano",),
        ".csv": ("csv",),
    }
    for tool in by_suffix[path.suffix]:
        with pytest.raises(DataError):
            take(exchange_named(tool), path, review, Answers(tmp_path / "answers.jsonl"), None)


def test_a_format_that_cannot_be_told_is_asked_for(tmp_path) -> None:
    path = dump_lines(tmp_path / "rows.jsonl", [{"a": 1}])
    with pytest.raises(RecipeError, match="the format cannot be told") as caught:
        detect(path)
    assert "label_studio" in str(caught.value)
    with pytest.raises(RecipeError, match="did you mean: prodigy"):
        exchange_named("prodgy")
