"""People's judgements on the run's page."""

from __future__ import annotations

import random

import pytest

from sevenfold.evaluate.human.contest import read_contest
from sevenfold.evaluate.human.findings import findings
from sevenfold.evaluate.human.judgements import Judgement, Judgements
from sevenfold.record import write_json
from sevenfold.report.facts import Facts
from sevenfold.report.parts import human
from tests.evaluate.human.made import Person
from tests.report.made import make_run, recipe
from tests.report.test_page import EVIL, page_of


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "demo", "evaluate")


def judged(run, *files: str) -> None:
    place = run.folder / "5-evaluate"
    contest = read_contest(dict.fromkeys(files or ("demo",), place / "rows.jsonl"), 17)
    judgements = Judgements(run.folder / "judgements.jsonl")
    draw = random.Random(1)
    for person in (Person("ada", 0.8), Person(EVIL, 0.7, ties=0.2)):
        person.judge(contest, judgements)
    for duel in contest.duels[:9]:
        marks = {"fluency": [draw.randint(1, 5), 4]}
        judgements.append(
            [Judgement(duel.origin, duel.digests[0], "left", "eve", 2.0, note=f"{EVIL} a note", scales=marks)]
        )
    write_json(place / "human.json", findings(contest, judgements, 1).as_json())


def said(run) -> str:
    """All texts of the part."""
    return str(human.part(Facts(run, recipe())))


def test_what_people_say_is_shown_on_the_page_as_text(run) -> None:
    judged(run)
    page = page_of(run)
    text = " ".join(page.text.split())
    for word in (
        "tuned against base",
        "Krippendorff's alpha",
        "Cohen's kappa",
        "on the left won",
        "fluency, tuned",
        "9 notes",
        "a note",
    ):
        assert word in text
    assert "script" not in page.tags
    assert EVIL in page.text


def test_several_models_are_shown_in_order(run) -> None:
    judged(run, "one", "two")
    assert "Bradley and Terry" in said(run)
    assert "one against base" in said(run)


def test_nothing_is_shown_where_nobody_judged(run) -> None:
    assert human.part(Facts(run, recipe())) is None
    place = run.folder / "5-evaluate"
    contest = read_contest({"demo": place / "rows.jsonl"}, 17)
    write_json(place / "human.json", findings(contest, Judgements(run.folder / "none.jsonl"), 1).as_json())
    assert human.part(Facts(run, recipe())) is None
