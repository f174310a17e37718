"""What the judgements say, on people who judge as they were told."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from sevenfold.agreement import alpha
from sevenfold.evaluate.human.contest import read_contest
from sevenfold.evaluate.human.findings import findings
from sevenfold.evaluate.human.judgements import Judgement, Judgements
from sevenfold.evaluate.human.verdict import preference
from sevenfold.evaluate.human.votes import poll
from tests.evaluate.human.made import Person, contest_of, plain_rows, row, write_run


@pytest.fixture
def contest(tmp_path):
    rows = [*plain_rows(120), *(row(900 + number, "same", "same") for number in range(30))]
    return contest_of(tmp_path, rows)


@pytest.fixture
def judgements(tmp_path):
    return Judgements(tmp_path / "judgements.jsonl")


def test_a_planted_preference_is_found(contest, judgements) -> None:
    Person("ada", 0.75).judge(contest, judgements)
    found = findings(contest, judgements, 1)
    one = found.preferences[0]
    assert (one.better, one.more, one.duels, one.equal) == ("yes", 0, 120, 30)
    assert one.wilson[0] > 0.5
    assert one.bootstrap[0] == pytest.approx(one.wilson[0], abs=0.02)
    assert one.rate == one.wins / 120
    assert one.rate_of_all == pytest.approx((one.wins + 15) / 150)
    assert found.said.startswith("People prefer tuned to base")
    # chrF always prefers tuned and loss always base, so they say what that person says just so often.
    assert {each.metric: each.same for each in found.metrics} == {"chrf": one.rate, "loss": pytest.approx(1 - one.rate)}
    assert any("loss" in line for line in found.advice)
    json.dumps(found.as_json())


def test_no_preference_is_unclear_and_says_how_many_more(contest, judgements) -> None:
    Person("ada", 0.58, ties=0.3).judge(contest, judgements, 40)
    one = findings(contest, judgements, 1).preferences[0]
    assert one.better == "unclear"
    assert one.more is None or one.more >= 1
    assert one.ties == one.both_good > 3
    assert one.wins + one.losses + one.ties == 40
    assert one.rate == pytest.approx((one.wins + one.ties / 2) / 40)


def test_who_prefers_the_base_is_heard_too(contest, judgements) -> None:
    Person("ada", 0.2).judge(contest, judgements)
    found = findings(contest, judgements, 1)
    assert found.preferences[0].better == "no"
    assert found.said.startswith("People prefer base to tuned")


def test_a_pull_to_the_left_is_seen_and_favours_no_model(contest, judgements) -> None:
    Person("ada", 0.5, left=0.6).judge(contest, judgements)
    found = findings(contest, judgements, 1)
    assert found.position.share == pytest.approx(0.8, abs=0.1)
    assert found.position.sign_test_p < 0.001
    assert 0.4 < found.preferences[0].rate < 0.6
    assert any("left side" in line for line in found.advice)
    assert found.annotators[0].left == found.position.share


def test_several_annotators_count_once_a_pair_and_their_agreement_is_krippendorffs(contest, judgements) -> None:
    for person in (Person("ada", 0.9), Person("bob", 0.8, ties=0.2), Person("eve", 0.7)):
        person.judge(contest, judgements, 60)
    found = findings(contest, judgements, 1)
    assert (found.preferences[0].duels, found.preferences[0].votes, found.agreement.duels) == (60, 180, 60)
    held = poll(contest, judgements.held).votes
    said = {
        name: {vote.duel.origin: vote.named(("base", "tuned")) for vote in held if vote.annotator == name}
        for name in ("ada", "bob", "eve")
    }
    names = [
        ["tie" if said[name][duel.origin] == "both" else said[name][duel.origin] for name in said]
        for duel in contest.duels[:60]
    ]
    assert found.agreement.alpha == pytest.approx(alpha(names))
    assert [(one, other, rows) for one, other, _, rows in found.agreement.kappas] == [
        ("ada", "bob", 60),
        ("ada", "eve", 60),
        ("bob", "eve", 60),
    ]
    rates = {one.name: one.rate for one in found.annotators}
    assert rates["ada"] > rates["eve"]
    assert found.seconds == (4.0, 720.0)


def test_who_agrees_in_all_has_alpha_one_and_chance_has_none(contest, tmp_path) -> None:
    sure, chance = Judgements(tmp_path / "sure.jsonl"), Judgements(tmp_path / "chance.jsonl")
    truth = random.Random(3)
    best = {duel.origin: truth.random() < 0.5 for duel in contest.duels}
    for name in ("ada", "bob"):
        sure.append(
            Judgement(duel.origin, duel.digests[0], "left" if best[duel.origin] else "right", name)
            for duel in contest.duels
        )
        Person(name, 0.5).judge(contest, chance)
    assert findings(contest, sure, 1).agreement.alpha == pytest.approx(1.0)
    found = findings(contest, chance, 1)
    assert abs(found.agreement.alpha) < 0.25
    assert any("agree little" in line for line in found.advice)


def test_what_does_not_count_is_counted(contest, judgements) -> None:
    duel = contest.duels[0]
    judgements.append(
        [
            Judgement(duel.origin, duel.digests[0], None, "ada"),
            Judgement("gone", "x", "left", "ada"),
            Judgement(duel.origin, "other words", "left", "bob"),
        ]
    )
    counts = findings(contest, judgements, 1).counts
    assert (counts.skipped, counts.of_other_answers, counts.votes, counts.judged) == (1, 2, 0, 0)
    assert findings(contest, judgements, 1).said == "Nobody has judged these answers yet."


def test_marks_are_by_model_whatever_side_they_stood_on(contest, judgements) -> None:
    for place, duel in enumerate(contest.duels[:10]):
        side = place % 2
        marks = [2, 4] if side == 0 else [4, 2]
        judgements.append([Judgement(duel.origin, duel.digests[side], "both", "ada", scales={"fluency": marks})])
    found = {one.model: one for one in findings(contest, judgements, 1).scales}
    assert (found["base"].mean, found["tuned"].mean, found["base"].marks) == (2, 4, 10)


def test_notes_are_told_with_what_their_writer_prefers(contest, judgements) -> None:
    one, other = contest.duels[:2]
    judgements.append([Judgement(one.origin, one.digests[1], "left", "ada", note="kinder")])
    judgements.append([Judgement(other.origin, other.digests[1], "right", "bob", note="shorter")])
    found = findings(contest, judgements, 1).notes
    assert [(each.row, each.annotator, each.preferred, each.note) for each in found] == [
        (one.row, "ada", "tuned", "kinder"),
        (other.row, "bob", "base", "shorter"),
    ]


def test_three_models_have_a_strength_each(tmp_path) -> None:
    files = {
        name: write_run(tmp_path / name, [row(number, f"b {number}", f"{name} {number}") for number in range(80)])
        for name in ("good", "bad")
    }
    contest, judgements = read_contest(files, 17), Judgements(tmp_path / "j.jsonl")
    draw, order = random.Random(1), {"good": 2, "base": 1, "bad": 0}
    for duel in contest.duels:
        first, second = duel.meetings[0]
        right = draw.random() < 0.8
        choice = "left" if (order[first] > order[second]) == right else "right"
        judgements.append([Judgement(duel.origin, duel.digests[0], choice, "ada")])
    found = findings(contest, judgements, 1)
    assert [one.model for one in found.strengths] == ["good", "base", "bad"]
    assert {(one.first, one.second): one.better for one in found.preferences} == {
        ("base", "good"): "yes",
        ("base", "bad"): "no",
        ("good", "bad"): "no",
    }
    assert found.annotators[0].rate is None
    assert [one.confidence for one in found.preferences] == pytest.approx([1 - 0.05 / 3] * 3)
    # Pairs of one person: the strength that both meetings with the base say lies near the planted one.
    assert found.strengths[0].strength == pytest.approx(np.log(4), abs=0.6)


@pytest.mark.slow
@pytest.mark.parametrize(("prefers", "ties"), [(0.7, 0.0), (0.7, 0.3), (0.5, 0.0)])
def test_intervals_hold_the_truth_as_often_as_they_say(tmp_path, prefers, ties) -> None:
    """And where there is no preference, one is called as seldom as the level allows."""
    contest = contest_of(tmp_path, plain_rows(60))
    truth = ties / 2 + (1 - ties) * prefers
    held = {"bootstrap": 0, "wilson": 0}
    called = 0
    times = 400
    for time in range(times):
        person = Person("ada", prefers, ties, seed=time)
        said = {duel.origin: {"ada": person.of(contest, place, True)} for place, duel in enumerate(contest.duels)}
        one = preference(poll(contest, said), ("base", "tuned"), time)
        held["bootstrap"] += one.bootstrap[0] <= truth <= one.bootstrap[1]
        held["wilson"] += one.wilson[0] <= truth <= one.wilson[1]
        called += one.better != "unclear"
    assert 0.91 * times <= held["bootstrap"] <= 0.98 * times
    assert 0.92 * times <= held["wilson"]
    if prefers == 0.5:
        assert called <= 0.07 * times
    else:
        assert called >= 0.6 * times
