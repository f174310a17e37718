"""The command ``label``: where rows and answers lie, the page until Ctrl-C, other tools."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from sevenfold.commands.labelling import located
from sevenfold.errors import RecipeError
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.queue import Answer
from tests.prepare.labels.made import lines, write_review
from tests.whole import sevenfold


@pytest.fixture
def run(tmp_path, monkeypatch) -> Path:
    """A run with a queue."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/reviews")
    (folder / "1-prepare").mkdir(parents=True)
    (folder / "record.json").write_text('{"name": "reviews", "stages": {}}')
    write_review(folder / "1-prepare")
    return folder


def test_answers_lie_where_a_new_dataset_does_not_replace_them(run) -> None:
    queue = run / "1-prepare" / "review.jsonl"
    assert located("reviews", Path("runs")) == (queue, run / "answers.jsonl")
    assert located(str(queue), Path("runs")) == (queue, run.absolute() / "answers.jsonl")
    Path("rows.jsonl").touch()
    assert located("rows.jsonl", Path("runs")) == (Path("rows.jsonl"), Path("rows.answers.jsonl"))


def test_a_place_that_is_not_there_is_said(run) -> None:
    with pytest.raises(RecipeError, match="did you mean: reviews"):
        located("review", Path("runs"))
    (run / "1-prepare" / "review.jsonl").unlink()
    with pytest.raises(RecipeError, match="no rows to review"):
        located("reviews", Path("runs"))
    assert "cannot be read" in sevenfold("label", "absent.jsonl", "--labels", "a,b").err


def test_the_page_is_served_until_ctrl_c_which_says_where_the_answers_are(run) -> None:
    Answers(run / "answers.jsonl").append([Answer("reviews.csv:2", "negative", "bob")])
    call = [sys.executable, "-c", "from sevenfold.cli import main; main()", "label", "reviews", "--json"]
    # A background job of a shell ignores Ctrl-C, and so would its children.
    process = subprocess.Popen(
        [*call, "--annotator", "ada", "--overlap", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    found = json.loads(process.stdout.readline())
    assert (found["rows"], found["answers"]) == (5, str(run / "answers.jsonl"))
    body = json.dumps({"origin": "reviews.csv:2", "label": "positive", "seconds": 1}).encode()
    request = urllib.request.Request(found["address"] + "answer", body, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert json.load(opener.open(request, timeout=10))["progress"]["labelled"] == 1
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "1 labelled, 0 skipped, 4 left" in said
    assert f"the answers are in {run / 'answers.jsonl'}" in said
    assert "agreement on 1 rows: 0% of the pairs, Krippendorff's alpha 0.00" in said
    assert "Traceback" not in said
    assert [row["annotator"] for row in lines(run / "answers.jsonl")] == ["bob", "ada"]


def test_how_far_the_annotators_agree(run) -> None:
    answers = Answers(run / "answers.jsonl")
    for name in ("ada", "bob"):
        answers.append([Answer("reviews.csv:2", "positive", name), Answer("reviews.csv:3", "neutral", name)])
    found = json.loads(sevenfold("label", "reviews", "--summary", "--json").out)
    assert (found["rows"], found["annotators"], found["same"], found["alpha"]) == (2, {"ada": 2, "bob": 2}, 1.0, 1.0)
    assert "agreement on 2 rows: 100%" in sevenfold("label", "reviews", "--summary").err


def test_to_another_tool_and_back(run) -> None:
    called = sevenfold("label", "reviews", "--export", "doccano", "out.jsonl", "--json")
    assert called.code == 0, called.err
    assert json.loads(called.out) == {"format": "doccano", "rows": 5, "files": ["out.jsonl", "out-labels.json"]}
    rows = lines(Path("out.jsonl"))
    rows[0]["label"], rows[1]["label"] = ["negative"], ["postive"]
    Path("back.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    called = sevenfold("label", "reviews", "--import", "auto", "back.jsonl")
    assert called.code == 0, called.err
    said = " ".join(called.err.split())
    assert "1 answers from doccano are in runs/reviews/answers.jsonl" in said
    assert "not taken: 1 unknown labels (first: postive)" in said
    assert "not taken: 3 not answered" in said
    kept = lines(run / "answers.jsonl")
    assert [(row["origin"], row["label"], row["annotator"]) for row in kept] == [("reviews.csv:2", "negative", "back")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--overlap", "2"], "is no share"),
        (["--export", "doccanno", "x.jsonl"], "did you mean: doccano"),
        (["--import", "csv", "absent.csv"], "there is no file 'absent.csv'"),
        (["--labels", "one"], "not a choice of labels"),
        (["--export", "prodigy", "runs/reviews/1-prepare/review.jsonl"], "would replace"),
        (["--annotator", " "], "no name"),
    ],
)
def test_a_wish_that_cannot_be_is_said(run, words, said) -> None:
    called = sevenfold("label", "reviews", *words)
    assert called.code == 2
    assert said in called.err
    assert not os.path.exists(run / "answers.jsonl")
