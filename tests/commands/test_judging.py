"""The command ``judge``: the page until it is stopped or killed, files there and back, the report."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from sevenfold.evaluate.human.contest import read_contest
from sevenfold.evaluate.human.judgements import Judgements
from tests.evaluate.human.made import Person, plain_rows, row, write_run
from tests.prepare.labels.made import lines
from tests.whole import sevenfold, write_recipe, write_rows


@pytest.fixture
def run(tmp_path, monkeypatch) -> Path:
    """An evaluated run."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/shop")
    write_run(folder, [*plain_rows(60), row(99, "equal", "equal")])
    return folder


def served(*words: str) -> tuple[subprocess.Popen, dict]:
    call = [sys.executable, "-c", "from sevenfold.cli import main; main()", "judge", "shop", "--json", *words]
    # A background job of a shell ignores Ctrl-C, and so would its children.
    process = subprocess.Popen(
        call,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    return process, json.loads(process.stdout.readline())


def ask(found: dict, path: str, sent: dict | None = None) -> dict:
    body = None if sent is None else json.dumps(sent).encode()
    request = urllib.request.Request(found["address"] + path, body, {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return json.load(opener.open(request, timeout=10))


def judge(found: dict, choice: str) -> dict:
    place = ask(found, "task")["next"]
    return ask(found, "answer", {"origin": ask(found, f"row/{place}")["origin"], "choice": choice, "seconds": 2})


def test_a_kill_loses_nothing_and_the_same_command_goes_on(run) -> None:
    first, found = served("--annotator", "ada", "--most", "20")
    assert (found["rows"], found["answers"]) == (20, str(run / "judgements.jsonl"))
    judge(found, "left")
    judge(found, "both")
    first.kill()
    first.communicate(timeout=20)
    with (run / "judgements.jsonl").open("a") as file:
        file.write('{"origin": "ha')
    again, found = served("--annotator", "ada", "--most", "20")
    assert ask(found, "task")["progress"]["judged"] == 2
    assert ask(found, "task")["next"] == 2
    judge(found, "right")
    again.send_signal(signal.SIGINT)
    _, said = again.communicate(timeout=20)
    assert again.returncode == 0, said
    assert "3 judged, 0 skipped, 17 left" in said
    assert "1 pairs of equal answers are not asked" in said
    assert "tuned" not in said
    assert "Traceback" not in said
    whole = [json.loads(line) for line in (run / "judgements.jsonl").read_text().splitlines() if line.endswith("}")]
    assert [one["choice"] for one in whole] == ["left", "both", "right"]


def test_the_report_says_it_and_keeps_it(run) -> None:
    contest = read_contest({"shop": run / "5-evaluate" / "rows.jsonl"}, 17)
    Person("ada", 0.85).judge(contest, Judgements(run / "judgements.jsonl"))
    found = sevenfold("judge", "shop", "--report", "--json").json
    kept = json.loads((run / "5-evaluate" / "human.json").read_text())
    assert found == {"file": str(run / "5-evaluate" / "human.json"), **kept}
    assert kept["preferences"][0]["better"] == "yes"
    called = sevenfold("judge", "shop", "--report")
    assert called.code == 0, called.err
    said = " ".join(called.err.split())
    assert "People prefer tuned to base" in said
    assert "chrf prefers what people prefer on" in said


def test_out_as_a_table_and_back(run) -> None:
    assert sevenfold("judge", "shop", "--export", "pairs.csv", "--most", "5", "--json").json == {
        "rows": 5,
        "file": "pairs.csv",
    }
    with Path("pairs.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    with Path("bob.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(one | {"choice": "1"} for one in rows)
    called = sevenfold("judge", "shop", "--import", "bob.csv")
    assert called.code == 0, called.err
    assert called.err.startswith("5 judgements are in")
    assert {one["annotator"] for one in lines(run / "judgements.jsonl")} == {"bob"}


def test_several_runs(run) -> None:
    write_run(Path("runs/other"), [row(number, f"plain answer {number}", "third") for number in range(60)])
    found = sevenfold("judge", "shop", "other", "--export", "all.jsonl", "--json").json
    assert found["rows"] == 180
    assert sevenfold("judge", "shop", "other", "--report", "--json").json["models"] == ["base", "shop", "other"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shpo"], "did you mean: shop"),
        (["shop", "shop"], "one name"),
        (["shop", "--overlap", "2"], "is no share"),
        (["shop", "--scales", "a,a"], "each its own"),
        (["shop", "--criteria", " "], "are empty"),
        (["shop", "--annotator", " "], "no name"),
        (["shop", "--export", "pairs.xls"], "names no format"),
        (["shop", "--import", "absent.csv"], "there is no file"),
    ],
)
def test_a_wish_that_cannot_be_is_said(run, words, said) -> None:
    called = sevenfold("judge", *words)
    assert called.code == 2
    assert said in called.err
    assert not (run / "judgements.jsonl").exists()


def test_a_run_that_cannot_be_judged_is_said(run) -> None:
    (run / "5-evaluate" / "rows.jsonl").write_text(json.dumps(row(0, "same", "same")) + "\n")
    assert "all 1 rows have equal answers" in sevenfold("judge", "shop").err
    assert sevenfold("judge", "shop", "--report").code == 0
    (run / "5-evaluate" / "rows.jsonl").unlink()
    assert "sevenfold evaluate shop" in sevenfold("judge", "shop").err


@pytest.mark.slow
def test_a_run_of_a_real_model_from_its_rows_to_its_page(tmp_path, monkeypatch, tiny_weights) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl")
    called = sevenfold("evaluate", write_recipe(tmp_path, tiny_weights, tune={"steps": 20}))
    assert called.code == 0, called.err
    folder = Path("runs/small")
    contest = read_contest({"small": folder / "5-evaluate" / "rows.jsonl"}, 17)
    assert contest.duels
    assert set(contest.directions) == {"loss", "perplexity", "chrf", "rouge_l", "exact_match"}
    Person("ada").judge(contest, Judgements(folder / "judgements.jsonl"))
    found = sevenfold("judge", "small", "--report", "--json").json
    assert found["counts"]["judged"] == len(contest.duels)
    assert "Wilson" in (folder / "report.html").read_text(encoding="utf-8")
    # What people said stays when the stage is asked for again and nothing has changed.
    assert sevenfold("evaluate", "small").code == 0
    assert (folder / "5-evaluate" / "human.json").is_file()
