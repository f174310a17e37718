"""Pairs for people without the tool, and back."""

from __future__ import annotations

import csv
import json

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.human.desk import Asked, JudgeDesk
from sevenfold.evaluate.human.exchange import export, take
from sevenfold.evaluate.human.judgements import Judgements
from tests.evaluate.human.made import HOSTILE, PERSIAN, contest_of, row
from tests.prepare.labels.made import lines


@pytest.fixture
def desk(tmp_path):
    rows = [
        row(0, "=1+1", PERSIAN),
        row(1, HOSTILE, "two\nlines"),
        row(2, "c", "d"),
        row(3, "e", "f"),
        row(4, "g", "h"),
    ]
    contest = contest_of(tmp_path, rows)
    return JudgeDesk(contest, Judgements(tmp_path / "judgements.jsonl"), "", Asked(scales=("fluency",)))


def read_csv(path) -> list[dict]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path, rows, delimiter=",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_there_and_back(desk, tmp_path, delimiter) -> None:
    export(desk, tmp_path / "pairs.csv")
    rows = read_csv(tmp_path / "pairs.csv")
    assert not {"base", "tuned"} & set(rows[0])
    assert any(cell == "'=1+1" for one in rows for cell in one.values())
    for one, choice in zip(rows, ("left", " Right ", "0", "9", "skip"), strict=True):
        one["choice"] = choice
    rows[0] |= {"fluency left": "4", "fluency right": "2", "note": "clear", "annotator": "eve"}
    write_csv(tmp_path / "back.csv", rows, delimiter)
    found = take(tmp_path / "back.csv", desk.contest, desk.answers, "back")
    assert (found.taken, found.not_taken) == (5, {})
    kept = lines(desk.answers.path)
    assert [one["choice"] for one in kept] == ["left", "right", "both", "neither", None]
    assert (kept[0]["annotator"], kept[0]["note"], kept[0]["scales"]) == ("eve", "clear", {"fluency": [4, 2]})
    assert kept[1]["annotator"] == "back"
    assert kept[0]["left"] == desk.shown(0)["left_id"]
    assert take(tmp_path / "back.csv", desk.contest, desk.answers, "back").not_taken == {"already there": 5}
    assert len(lines(desk.answers.path)) == 5


def test_lines_there_and_back(desk, tmp_path) -> None:
    export(desk, tmp_path / "pairs.jsonl")
    rows = lines(tmp_path / "pairs.jsonl")
    assert all(word not in json.dumps(rows) for word in ('"base"', '"tuned"'))
    rows[0] |= {"choice": "right", "scales": {"fluency": [1, None]}}
    (tmp_path / "back.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    found = take(tmp_path / "back.jsonl", desk.contest, desk.answers, "ada")
    assert (found.taken, found.not_taken) == (1, {"not answered": 4})
    assert lines(desk.answers.path)[0]["scales"] == {"fluency": [1, None]}


def test_what_does_not_fit_is_counted_with_its_reason(desk, tmp_path) -> None:
    good = {"origin": desk.origins[0], "left": desk.shown(0)["left_id"], "choice": "left", "at": "2026-01-01"}
    answers = [
        good | {"choice": "middle"},
        good | {"origin": "gone"},
        good | {"left": "0"},
        good | {"scales": {"fluency": ["4", 9]}},
        "no object",
        good,
    ]
    (tmp_path / "r.json").write_text(
        json.dumps({"form": "x", "annotator": "ada", "answers": [one for one in answers if isinstance(one, dict)]})
    )
    found = take(tmp_path / "r.json", desk.contest, desk.answers, "me")
    assert found.taken == 1
    assert found.not_taken == {"unfit": 2, "of other answers": 1, "without the answer on the left": 1}
    assert "'middle' is no choice" in found.examples["unfit"]


def test_files_of_no_format_are_said(desk, tmp_path) -> None:
    with pytest.raises(DataError, match="names no format") as caught:
        export(desk, tmp_path / "pairs.cvs")
    assert caught.value.suggestion == ".csv"
    with pytest.raises(DataError, match="there is no file"):
        take(tmp_path / "none.csv", desk.contest, desk.answers, "me")
    for name, text, said in (
        ("a.json", "[]", "cannot be read"),
        ("b.jsonl", "{", "cannot be read"),
        ("c.csv", "a,b\n1,2\n", "no column 'choice'"),
        ("d.txt", "", "names no format"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match=said):
            take(tmp_path / name, desk.contest, desk.answers, "me")
    assert not desk.answers.path.exists()


def test_a_form_holds_all_texts_and_nothing_that_ends_its_script(desk, tmp_path) -> None:
    export(desk, tmp_path / "form.html")
    page = (tmp_path / "form.html").read_text(encoding="utf-8")
    held = page.split('<script type="application/json" id="form">')[1].split("</script>")[0]
    assert "<" not in held
    form = json.loads(held)
    assert {text for one in form["rows"] for text in (one["left"], one["right"])} >= {HOSTILE, PERSIAN, "=1+1"}
    assert "tuned" not in held
    assert not any(word in page for word in ("NONCE", "STYLE", "SCRIPT", "FORM-->", "POLICY", "http://", "https://"))
    assert "default-src 'none'" in page
