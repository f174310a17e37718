"""The judging page and the page in one file in a real browser: by keyboard, blind, and nothing but text is shown."""

from __future__ import annotations

import json
import re

import pytest

from sevenfold.evaluate.human.desk import Asked, JudgeDesk
from sevenfold.evaluate.human.exchange import export, take
from sevenfold.evaluate.human.judgements import Judgements
from sevenfold.page.server import background
from tests.evaluate.human.made import HOSTILE, PERSIAN, contest_of, row
from tests.prepare.labels.made import lines

ROWS = [
    row(0, "short", "rather longer", chrf=(0.1, 0.2)),
    row(1, HOSTILE, PERSIAN, chrf=(0.3, 0.2)),
    row(2, "one\n\ntwo", ""),
    row(3, "equal", "equal"),
    row(4, "left or right", "right or left"),
]


@pytest.fixture
def contest(tmp_path):
    return contest_of(tmp_path, ROWS)


class Seat:
    """A page of one annotator, with all that went over the wire and all that the browser complained of."""

    def __init__(self, browser, address: str, **context) -> None:
        self.troubles, self.wire = [], []
        self.page = browser.new_context(**context).new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda said: self.troubles.append(said.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.wire.append(f"{request.url} {request.post_data}"))
        self.page.on("response", lambda response: self.wire.append(response.text()))
        self.page.goto(address)

    def at_pair(self, number: int) -> None:
        self.page.get_by_text(f"Pair {number} of").first.wait_for()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def through(self, *keys: str, start: int = 1) -> None:
        """A key for each pair, each when the pair is there."""
        for number, key in enumerate(keys, start):
            self.at_pair(number)
            self.press(key)


@pytest.fixture
def seat(browser, contest, tmp_path):
    stack, seats = [], []

    def open_seat(name="ada", asked=Asked(), **context) -> Seat:  # noqa: B008
        running = background(JudgeDesk(contest, Judgements(tmp_path / "judgements.jsonl"), name, asked))
        stack.append(running)
        seats.append(Seat(browser, running.__enter__().address, **context))
        seats[-1].at_pair(1)
        return seats[-1]

    yield open_seat
    for one in seats:
        one.page.context.close()
    for running in stack:
        running.__exit__(None, None, None)
    for one in seats:
        assert one.troubles == []


def kept(tmp_path) -> list[dict]:
    return lines(tmp_path / "judgements.jsonl")


def test_four_pairs_by_keyboard_and_not_a_word_of_whose_they_are(seat, tmp_path) -> None:
    here = seat()
    here.through("1", "2", "0", "9")
    here.page.wait_for_selector("#end", state="visible")
    assert [one["choice"] for one in kept(tmp_path)] == ["left", "right", "both", "neither"]
    assert all(one["seconds"] > 0 for one in kept(tmp_path))
    assert here.page.inner_text("#summary") == "4 pairs judged."
    # The page itself, every request and every reply; the words of the style and script aside.
    sent = [one for one in here.wire if not one.startswith("<!doctype")]
    assert len(sent) > 12
    whole = " ".join(sent) + here.page.inner_text("body")
    assert not re.search(r"\b(base|tuned|chrf|first|second|values)\b", whole)
    assert all("127.0.0.1" in one for one in here.wire if one.startswith("http"))


def test_a_persian_answer_reads_from_right_to_left_and_hostile_words_are_words(seat, contest) -> None:
    here = seat()
    place = next(place for place, duel in enumerate(contest.duels) if duel.row == "rows.jsonl:1")
    here.through(*["j"] * place)
    here.at_pair(place + 1)
    assert sorted(here.page.inner_text(f"#words-{side}") for side in ("left", "right")) == sorted([HOSTILE, PERSIAN])
    ways = {
        here.page.inner_text(f"#words-{side}"): here.page.evaluate(
            f"getComputedStyle(document.querySelector('#words-{side} p')).direction"
        )
        for side in ("left", "right")
    }
    assert ways == {HOSTILE: "ltr", PERSIAN: "rtl"}
    assert here.page.evaluate("window.hacked") is None
    assert here.page.locator("#work img, #work script").count() == 0


def test_marks_a_note_and_an_undo(seat, tmp_path) -> None:
    here = seat(asked=Asked("Which would you send?", ("fluency", "correctness"), reference=True))
    assert here.page.inner_text("#question") == "Which would you send?"
    here.press("m", "4", "3", "5")  # fluency of both, correctness of the first; the last stays open
    here.press("Escape", "n")
    here.page.keyboard.type("both a bit stiff")
    here.press("Enter", "1")
    here.at_pair(2)
    assert kept(tmp_path)[0]["scales"] == {"fluency": [4, 3], "correctness": [5, None]}
    assert kept(tmp_path)[0]["note"] == "both a bit stiff"
    here.press("u")
    here.at_pair(1)
    assert kept(tmp_path)[1]["choice"] is None
    assert kept(tmp_path)[1]["undone"] is True
    here.press("o")
    assert here.page.is_visible("#reference")
    here.press("2")
    here.at_pair(2)
    here.press("k")
    here.at_pair(1)
    assert here.page.get_attribute("[data-choice=right]", "aria-pressed") == "true"


def test_two_annotators_at_once_and_a_reload(seat, tmp_path) -> None:
    ada, bob = seat(), seat("bob")
    ada.press("1")
    bob.press("2")
    ada.at_pair(2)
    bob.at_pair(2)
    bob.press("s")
    ada.press("1")
    ada.at_pair(3)
    bob.at_pair(3)
    ada.page.reload()
    ada.at_pair(3)
    assert "2 judged" in ada.page.inner_text("#done")
    assert "1 judged, 1 skipped" in bob.page.inner_text("#done")
    said = sorted((one["annotator"], one["choice"] or "") for one in kept(tmp_path))
    assert said == [("ada", "left"), ("ada", "left"), ("bob", ""), ("bob", "right")]


def test_a_persian_keyboard_has_its_keys_where_they_lie(seat, tmp_path) -> None:
    here = seat()
    for number, (key, code) in enumerate((("۲", "Digit2"), ("س", "KeyS")), 2):
        here.page.evaluate(
            "([key, code]) => document.dispatchEvent(new KeyboardEvent('keydown', {key, code, bubbles: true}))",
            [key, code],
        )
        here.at_pair(number)
    assert [one["choice"] for one in kept(tmp_path)] == ["right", None]


def test_a_phone_shows_one_answer_below_the_other(seat) -> None:
    here = seat(viewport={"width": 360, "height": 720}, has_touch=True, is_mobile=True)
    assert here.page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = [here.page.locator(f"#answer-{side}").bounding_box() for side in ("left", "right")]
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    here.page.tap("[data-choice=neither]")
    here.at_pair(2)


def test_the_page_in_one_file_goes_on_after_a_reload_and_its_results_are_read(browser, contest, tmp_path) -> None:
    judgements = Judgements(tmp_path / "judgements.jsonl")
    desk = JudgeDesk(contest, judgements, "", Asked(scales=("fluency",)))
    export(desk, tmp_path / "form.html")
    here = Seat(browser, (tmp_path / "form.html").as_uri())
    here.page.wait_for_selector("#hello", state="visible")
    here.page.keyboard.type("سارا")
    here.press("Enter")
    here.at_pair(1)
    here.press("m", "5", "Escape")
    here.through("1", "2")
    here.at_pair(3)
    here.page.reload()
    here.at_pair(3)
    here.press("u")
    here.at_pair(2)
    here.through("9", "0", "s", start=2)
    here.page.wait_for_selector("#end", state="visible")
    with here.page.expect_download() as waiting:
        here.page.click("#keep-all")
    path = tmp_path / "results.json"
    waiting.value.save_as(path)
    assert here.page.evaluate("window.hacked") is None
    assert here.troubles == []
    assert len(here.wire) == 2 * len([one for one in here.wire if one.startswith("file://")])
    found = take(path, contest, judgements, "nobody")
    assert (found.taken, found.not_taken) == (4, {})
    assert [(one["annotator"], one["choice"]) for one in kept(tmp_path)] == [
        ("سارا", "left"),
        ("سارا", "neither"),
        ("سارا", "both"),
        ("سارا", None),
    ]
    assert kept(tmp_path)[0]["scales"] == {"fluency": [5, None]}
    assert [one["left"] for one in kept(tmp_path)] == [desk.shown(place)["left_id"] for place in range(4)]
    assert "base" not in json.dumps(json.loads(path.read_text()))
    here.page.context.close()
