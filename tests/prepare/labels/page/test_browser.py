"""The labelling page in a real browser: everything by keyboard, nothing but this machine is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from sevenfold.page.server import background
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.page.desk import Desk
from sevenfold.prepare.labels.review import Asked, read_review
from tests.prepare.labels.made import PERSIAN, lines, write_review


class Seat:
    """A page of one annotator, with what the browser complained of and asked for."""

    def __init__(self, browser, desk, server, **context) -> None:
        self.desk, self.troubles, self.asked = desk, [], []
        self.page = browser.new_context(**context).new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda said: self.troubles.append(said.text) if said.type != "log" else None)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(server.address)
        self.at_row(1)

    def at_row(self, number: int) -> None:
        self.page.get_by_text(f"Row {number} of").first.wait_for()

    def at_end(self) -> None:
        self.page.wait_for_selector("#end", state="visible")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def kept(self) -> list[tuple]:
        return [(row["origin"].split(":")[1], row["label"]) for row in lines(self.desk.answers.path)]


@pytest.fixture
def seat(browser, tmp_path, request):
    """Opens a review; at the end the browser must have had nothing to complain of, and asked no other machine."""
    stack, seats = [], []

    def open_seat(annotator="ada", asked=Asked(), overlap=0.0, multi=False, labels=None, **context) -> Seat:  # noqa: B008
        review = read_review(write_review(tmp_path, multi, labels), asked)
        desk = Desk(review, Answers(tmp_path / "answers.jsonl"), annotator, overlap)
        running = background(desk)
        stack.append(running)
        seats.append(Seat(browser, desk, running.__enter__(), **context))
        return seats[-1]

    yield open_seat
    for one in seats:
        one.page.context.close()
    for running in stack:
        running.__exit__(None, None, None)
    for one in seats:
        assert one.troubles == []
        assert one.asked
        assert all(url.startswith(("http://127.0.0.1:", "data:")) for url in one.asked)


def test_five_rows_by_keyboard_alone(seat) -> None:
    here = seat()
    here.press("Enter")
    here.at_row(2)
    here.press("3")
    here.at_row(3)
    here.press("Enter")  # nothing is suggested, so nothing happens
    here.press("n")
    here.page.keyboard.type("refund, 2 times")
    here.press("Enter", "2")
    here.at_row(4)
    here.press("s")
    here.at_row(5)
    here.press("Enter")
    here.at_end()
    assert here.kept() == [("2", "positive"), ("3", "neutral"), ("4", "negative"), ("5", None), ("6", "negative")]
    kept = lines(here.desk.answers.path)
    assert kept[2]["note"] == "refund, 2 times"
    assert all(row["seconds"] > 0 and row["annotator"] == "ada" for row in kept)
    assert here.page.inner_text("#summary") == "4 rows labelled, 1 skipped."


def test_persian_reads_from_right_to_left_and_keeps_its_digits(seat) -> None:
    here = seat()
    assert here.page.evaluate("getComputedStyle(document.documentElement).direction") == "ltr"
    assert here.page.evaluate("getComputedStyle(document.querySelector('#text p')).direction") == "ltr"
    assert here.page.evaluate("getComputedStyle(document.querySelectorAll('#context dd')[1]).direction") == "rtl"
    here.press("j")
    here.at_row(2)
    found = here.page.evaluate(
        "[...document.querySelectorAll('#text p')].map(p => [p.textContent, p.lang, getComputedStyle(p).direction])"
    )
    assert found == [[part, "fa", "rtl"] for part in PERSIAN.split("\n")]
    edges = here.page.evaluate("""() => {
        const range = document.createRange(), p = document.querySelectorAll('#text p')[1];
        range.selectNodeContents(p);
        const text = range.getBoundingClientRect(), box = p.getBoundingClientRect();
        return [text.left - box.left, box.right - text.right]}""")
    assert edges[0] > 50  # the line begins at the right edge
    assert edges[1] < 5


def test_a_persian_keyboard_has_its_keys_where_they_lie(seat) -> None:
    here = seat()
    for number, (key, code) in enumerate((("۲", "Digit2"), ("ت", "KeyJ"), ("س", "KeyS")), 2):
        here.page.evaluate(
            "([key, code]) => document.dispatchEvent(new KeyboardEvent('keydown', {key, code, bubbles: true}))",
            [key, code],
        )
        here.at_row(number)
    assert here.kept() == [("2", "negative"), ("4", None)]


def test_undo_goes_back_and_the_file_tells_both(seat) -> None:
    here = seat()
    here.press("1")
    here.at_row(2)
    here.press("2")
    here.at_row(3)
    here.press("u")
    here.at_row(2)
    here.press("u")
    here.at_row(1)
    here.press("2")
    here.at_row(2)
    assert here.kept() == [("2", "positive"), ("3", "negative"), ("3", None), ("2", None), ("2", "negative")]
    held = {origin: of["ada"].label for origin, of in here.desk.answers.held.items() if of}
    assert held == {"reviews.csv:2": "negative"}


def test_a_reload_goes_on_where_it_was(seat) -> None:
    here = seat()
    here.press("1")
    here.at_row(2)
    here.press("1")
    here.at_row(3)
    here.page.reload()
    here.at_row(3)
    assert "2 labelled" in here.page.inner_text("#done")
    here.press("k")
    here.at_row(2)
    assert here.page.inner_text("#state") == "answered"
    assert here.page.get_attribute("[data-label=positive]", "aria-pressed") == "true"


def test_a_note_that_was_begun_is_there_when_one_comes_back(seat) -> None:
    here = seat()
    here.press("n")
    here.page.keyboard.type("ask Sara")
    here.press("Escape", "j")
    here.at_row(2)
    assert here.page.input_value("#note") == ""
    here.press("k")
    here.at_row(1)
    assert here.page.input_value("#note") == "ask Sara"
    here.press("1")
    here.at_row(2)
    assert lines(here.desk.answers.path)[0]["note"] == "ask Sara"


def test_several_labels(seat) -> None:
    here = seat(multi=True)
    here.press("Enter")  # the suggested one alone
    here.at_row(2)
    here.press("3", "Enter")  # with one more
    here.at_row(3)
    here.press("0")  # none fits
    here.at_row(4)
    here.press("3", "1", "2", "Enter")  # the suggested one away, two others
    here.at_row(5)
    assert here.kept() == [
        ("2", ["positive"]),
        ("3", ["positive", "neutral"]),
        ("4", []),
        ("5", ["positive", "negative"]),
    ]


def test_many_labels_are_searched(seat) -> None:
    labels = ["positive", "negative", "neutral", *(f"topic {number}" for number in range(60)), "فرهنگ"]
    here = seat(labels=labels)
    assert here.page.is_visible("#search")
    here.press("/")
    here.page.keyboard.type("topic 47")
    assert here.page.locator("#labels button").count() == 1
    here.press("Enter")
    here.at_row(2)
    here.press("/")
    here.page.keyboard.type("فره")
    here.press("Enter")
    here.at_row(3)
    assert here.kept() == [("2", "topic 47"), ("3", "فرهنگ")]


def test_two_tabs_and_two_people_share_one_file(seat, tmp_path) -> None:
    ada, tab, bob = seat(), None, seat("bob", overlap=1.0)
    tab = ada.page.context.new_page()
    tab.goto(ada.page.url)
    tab.get_by_text("Row 1 of").first.wait_for()
    ada.press("1")
    ada.at_row(2)
    bob.press("2")
    bob.at_row(2)
    tab.keyboard.press("3")
    tab.get_by_text("Row 2 of").first.wait_for()
    rows = lines(tmp_path / "answers.jsonl")
    assert [(row["annotator"], row["label"]) for row in rows] == [
        ("ada", "positive"),
        ("bob", "negative"),
        ("ada", "neutral"),
    ]


def test_what_is_not_saved_is_said_and_the_row_stays(seat) -> None:
    here = seat()
    path: Path = here.desk.answers.path
    path.mkdir()
    here.press("1")
    here.page.wait_for_selector("#problem", state="visible")
    assert "was not saved" in here.page.inner_text("#problem")
    here.at_row(1)
    path.rmdir()
    here.press("1")
    here.at_row(2)
    assert here.page.is_hidden("#problem")
    here.troubles.clear()  # the browser itself writes the refused request to its console


def test_a_reader_of_the_screen_is_told_names_states_and_keys(seat) -> None:
    here = seat()
    page = here.page
    assert page.get_by_role("group", name="How is the review?").count() == 1
    assert page.get_by_role("progressbar").get_attribute("aria-valuenow") == "0"
    assert page.get_by_role("button", name="positive").first.get_attribute("aria-keyshortcuts") == "1"
    here.press("1")
    here.at_row(2)
    assert page.get_by_role("status").inner_text() == "Saved: positive. Row 2 of 5"
    here.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    here.press("Escape")
    assert not page.get_by_role("dialog", name="Keys").is_visible()
    here.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_phone_shows_it_all_without_sliding_sideways(seat) -> None:
    here = seat(viewport={"width": 360, "height": 720}, has_touch=True, is_mobile=True)
    assert here.page.evaluate("document.documentElement.scrollWidth") <= 360
    heights = here.page.evaluate(
        "[...document.querySelectorAll('button')].filter(b => b.offsetHeight).map(b => b.offsetHeight)"
    )
    assert min(heights) >= 44
    here.page.tap("[data-label=negative]")
    here.at_row(2)
    assert here.kept() == [("2", "negative")]
