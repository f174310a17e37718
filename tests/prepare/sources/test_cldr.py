from __future__ import annotations

import datetime
import re
import sys
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from sevenfold.errors import DataError, MachineError, RecipeError
from sevenfold.prepare.sources._cldr import dates, names, numbers
from sevenfold.prepare.sources._cldr.asking import FORMS, LANGUAGES, NOUNS, QUESTIONS
from sevenfold.prepare.sources._cldr.pair import side_of, sides_of
from sevenfold.prepare.sources._cldr.words import speller
from sevenfold.prepare.sources.cldr import KINDS, Cldr
from tests.prepare.conftest import read_all, section_of

ZWNJ = "\N{ZERO WIDTH NON-JOINER}"
PERSIAN_LETTERS = "ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیآأئؤءًَُِّْٔ"
ARABIC_ONLY = "كيىة٠١٢٣٤٥٦٧٨٩"
"""Letters and digits that look like Persian ones and are not."""


@pytest.fixture(scope="module")
def sides():
    return sides_of(("en", "fa"))


@pytest.fixture(scope="module")
def rows():
    return read_all(Cldr(ask=("en", "fa"), count=8000))


def name(kind, code, sides):
    return [writing.text for writing in names.named_items(kind, sides)[0][code].writings[:2]]


@pytest.mark.parametrize(
    ("kind", "code", "english", "persian"),
    [
        ("territories", "DE", "Germany", "آلمان"),
        ("territories", "IR", "Iran", "ایران"),
        ("territories", "PS", "Palestinian Territories", f"سرزمین{ZWNJ}های فلسطینی"),
        ("languages", "fr", "French", "فرانسوی"),
        ("currencies", "IRR", "Iranian Rial", "ریال ایران"),
        ("scripts", "Grek", "Greek", "یونانی"),
        ("units", "length-kilometer", "kilometers", "کیلومتر"),
        ("units", "temperature-celsius", "degrees Celsius", "درجهٔ سلسیوس"),
        ("months", "5", "May", "مه"),
        ("weekdays", "1", "Tuesday", f"سه{ZWNJ}شنبه"),
    ],
)
def test_names(kind, code, english, persian, sides):
    assert name(kind, code, sides) == [english, persian]


def test_a_date_in_every_form(sides):
    item = dates.date(datetime.date(2024, 5, 7), sides)
    assert {writing.label: writing.text for writing in item.writings} == {
        "iso": "2024-05-07",
        "en.full": "Tuesday, May 7, 2024",
        "en.long": "May 7, 2024",
        "en.medium": "May 7, 2024",
        "fa.full": f"سه{ZWNJ}شنبه ۷ مهٔ ۲۰۲۴",
        "fa.long": "۷ مهٔ ۲۰۲۴",
        "fa.medium": "۷ مه ۲۰۲۴",
    }
    full = next(writing for writing in item.writings if writing.label == "fa.full")
    assert full.parts == (f"fa:سه{ZWNJ}شنبه", "fa:۷", "fa:مهٔ", "fa:۲۰۲۴")


@pytest.mark.parametrize(
    ("value", "english", "persian"),
    [(0, "0", "۰"), (1234567, "1,234,567", "۱٬۲۳۴٬۵۶۷"), (Decimal("40.05"), "40.05", "۴۰٫۰۵")],
)
def test_numbers(value, english, persian, sides):
    assert [side.number(value) for side in sides] == [english, persian]


@pytest.mark.parametrize(
    ("value", "english", "persian"), [("12", "12%", "۱۲٪"), ("12.5", "12.5%", "۱۲٫۵٪"), ("0.5", "0.5%", "۰٫۵٪")]
)
def test_percentages(value, english, persian, sides):
    assert [side.percent(Decimal(value)) for side in sides] == [english, persian]


@pytest.mark.parametrize(
    ("value", "persian"),
    [
        (0, "صفر"),
        (15, "پانزده"),
        (19, "نوزده"),
        (21, "بیست و یک"),
        (100, "صد"),
        (1984, "هزار و نهصد و هشتاد و چهار"),
        (21000, "بیست و یک هزار"),
        (305_018, "سیصد و پنج هزار و هجده"),
        (1_000_000, "یک میلیون"),
    ],
)
def test_numbers_in_persian_words(value, persian, sides):
    assert speller(sides[1])(value) == persian


def test_persian_words_of_all_numbers_below_a_thousand_follow_the_rule(sides):
    spell = speller(sides[1])
    for number in range(1, 1000):
        tens = number % 100
        rest = [] if not tens else [tens] if tens <= 20 or tens % 10 == 0 else [tens - tens % 10, tens % 10]
        parts = ([number - tens] if number >= 100 else []) + rest
        assert spell(number) == " و ".join(map(spell, parts))


def test_quantities(sides):
    found = {}
    for code, make in (("length-kilometer", numbers.measures), ("USD", numbers.amounts)):
        item = next(make([code], sides, Fixed(47)))
        found[code] = [(writing.text, writing.parts) for writing in item.writings]
    assert found == {
        "length-kilometer": [
            ("47 kilometers", ("en:47", "en:kilometers")),
            ("۴۷ کیلومتر", ("fa:۴۷", "fa:کیلومتر")),
        ],
        "USD": [
            ("47 US dollars", ("en:47", "en:US dollars")),
            ("۴۷ دلار آمریکا", ("fa:۴۷", "fa:دلار آمریکا")),
        ],
    }


class Fixed:
    """Dice that always fall alike."""

    def __init__(self, number):
        self.number = number

    def randint(self, low, high):
        assert low <= self.number <= high
        return self.number

    def choice(self, items):
        return items[0]


def test_lists_are_joined_as_each_language_does(rows):
    lists = [row.values for row in rows if row.values["kind"] == "lists"]
    three = next(row for row in lists if row["completion"].count("،") == 2)
    assert re.fullmatch(r"[^،]+، [^،]+، و [^،]+", three["completion"])
    assert re.search(r": .+, .+, and .+$|： .+, .+, and .+$", three["prompt"])


def test_every_kind_gives_its_share_and_the_instructions_are_in_both_languages(rows):
    counts = Counter(row.values["kind"] for row in rows)
    assert sum(counts.values()) == 8000
    assert set(counts) == set(KINDS)
    assert counts["weekdays"] == 7 * 2 * 3 * 2
    assert counts["months"] == 12 * 2 * 3 * 2
    assert max(counts.values()) - min(counts[kind] for kind in KINDS if kind not in ("weekdays", "months")) <= 1
    languages = Counter(row.values["format"].split()[1].split(".")[0] for row in rows)
    assert abs(languages["en"] - languages["fa"]) < 1000


def test_no_question_has_two_answers(rows):
    answers = defaultdict(set)
    for row in rows:
        answers[row.values["prompt"]].add(row.values["completion"])
    assert all(len(found) == 1 for found in answers.values())


def test_persian_texts_are_in_persian_letters_and_digits(rows):
    for row in rows:
        text = row.values["prompt"] + row.values["completion"]
        assert not set(text) & set(ARABIC_ONLY), text
        assert "{" not in text
        assert not re.search("[\u200e\u200f\u061c]", text)
        for side in (text, *text.split()):
            assert not side.startswith(ZWNJ)
            assert not side.endswith(ZWNJ)
    into_persian = [
        row.values for row in rows if re.search(r">fa\.(full|long|medium|digits|words)", row.values["format"])
    ]
    assert len(into_persian) > 900
    for row in into_persian:
        assert re.fullmatch(f"[{PERSIAN_LETTERS}۰-۹٬٫٪ {ZWNJ}]+", row["completion"]), row["completion"]


def test_questions_name_what_is_asked(rows):
    asked = {(row.values["format"], row.values["prompt"], row.values["completion"]) for row in rows}
    shown = {way: (prompt, answer) for way, prompt, answer in asked}
    prompt, _ = shown["territories en.code code>fa.name"]
    assert re.fullmatch(r"What is the Persian name of the country or region with the code [A-Z]{2}\?", prompt)
    prompt, answer = shown["dates fa.write iso>fa.long"]
    assert re.fullmatch(r"این تاریخ را به فارسی به شکل بلند بنویس: \d{4}-\d\d-\d\d", prompt)
    assert re.fullmatch(r"[۰-۹]{1,2} \S+ [۰-۹]{4}", answer)
    weekday = [answer for way, _, answer in asked if way.startswith("dates") and ">fa.full" in way]
    assert all("شنبه" in answer or "جمعه" in answer for answer in weekday)
    assert not any("full" in way.split(">")[1] and "full" not in way.split(">")[0] for way in shown if "dates" in way)


def test_parts_are_what_the_texts_are_made_of(rows):
    for row in rows:
        *parts, way = row.values["parts"].split("|")
        assert way == row.values["format"]
        text = row.values["prompt"] + " " + row.values["completion"]
        for part in parts:
            where, _, piece = part.partition(":")
            if where != "code" and not piece.endswith(" signs"):
                assert piece in text, (part, text)


def test_the_same_rows_come_again_and_another_seed_gives_others():
    def texts(**fields):
        return [row.values for row in read_all(Cldr(count=300, **fields))]

    assert texts() == texts()
    assert texts() != texts(seed=18)


def test_a_shorter_set_is_the_beginning_of_a_longer_one():
    short, long = read_all(Cldr(count=200)), read_all(Cldr(count=400))
    assert [row.values for row in long[:200]] == [row.values for row in short]


def test_kinds_that_end_give_all_that_they_have():
    found = read_all(Cldr(kinds=("weekdays", "months"), count=10_000))
    assert len(found) == (7 + 12) * 2 * 3
    assert len({row.values["prompt"] for row in found}) == len(found)


def test_the_test_asks_for_new_compositions_of_what_training_has(run):
    prepared = run(source="cldr", split={"validation": 150, "test": 300, "how": {"covered": "parts"}})
    train, held = prepared.rows("train"), prepared.rows("validation", "test")
    assert len(prepared.rows("test")) == 300
    assert {row.fields["kind"] for row in prepared.rows("test")} == set(KINDS)
    kept = {part for row in train for part in row.fields["parts"].split("|")}
    asked = {row.conversation.messages[0].content for row in train}
    for row in held:
        assert row.conversation.messages[0].content not in asked
        assert set(row.fields["parts"].split("|")) <= kept
    # The same from the texts alone: what a test answers stands in training, as a name or as the words of a date.
    texts = " ".join(message.content for row in train for message in row.conversation.messages)
    for row in prepared.rows("test"):
        answer = row.conversation.messages[-1].content
        if row.fields["kind"] in names.NAMED:
            assert answer in texts
        if row.fields["kind"] == "dates" or row.fields["format"].endswith(".words"):
            assert all(word in texts for word in re.split(r"[\s,،-]+", answer))


def test_other_languages_have_their_own_digits_and_words():
    german = read_all(Cldr(languages=("en", "de"), kinds=("words", "dates"), count=400))
    answers = " ".join(row.values["completion"] for row in german)
    assert "tausend" in answers
    assert re.search(r"\d+\. März \d{4}", answers)
    assert side_of("ar_EG").number(12345) == "١٢٬٣٤٥"
    assert side_of("mr").number(1234567) == "१२,३४,५६७"
    assert side_of("pt-BR").number(Decimal("1234.5")) == "1.234,5"


def test_every_numbering_system_that_a_locale_uses_has_its_digits():
    from babel import Locale
    from babel.localedata import locale_identifiers

    from sevenfold.prepare.sources._cldr.pair import ZEROS

    used = {Locale.parse(code).default_numbering_system for code in locale_identifiers()}
    assert used == set(ZEROS)
    assert all(
        chr(ord(zero) + digit).isdecimal() and int(chr(ord(zero) + digit)) == digit
        for zero in ZEROS.values()
        for digit in range(10)
    )


def test_a_language_whose_numbers_nothing_spells_is_said():
    notes: list[str] = []
    found = read_all(Cldr(languages=("en", "ku"), kinds=("words", "months"), count=100), notes)
    assert {row.values["kind"] for row in found} == {"months"}
    assert any("no number words are known for ku" in note for note in notes)


def test_names_that_stand_for_two_are_left_out_and_counted(sides):
    notes: list[str] = []
    read_all(Cldr(kinds=("scripts",), count=10), notes)
    assert re.search(r"\d+ scripts; \d+ left out", notes[0])
    for side in sides:
        texts = [
            writing.text
            for item in names.named_items("scripts", sides)[0].values()
            for writing in item.writings
            if writing.language == side.code
        ]
        assert len(texts) == len(set(texts))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"languages": ["en", "en"]}, "the two languages are the same"),
        ({"languages": ["en"]}, r"languages\.1' is missing"),
        ({"kinds": ["dates", "dates"]}, "something stands twice"),
        ({"kinds": ["datse"]}, "Input should be"),
        ({"ask": ["de"]}, "'en' or 'fa'"),
        ({"count": 0}, "greater than or equal to 1"),
    ],
)
def test_bad_fields_are_refused(fields, message):
    with pytest.raises(RecipeError, match=message):
        section_of(source={"cldr": fields})


def test_an_unknown_locale_gets_the_nearest():
    with pytest.raises(RecipeError, match="no locale 'fa-XY'") as caught:
        section_of(source={"cldr": ["en", "fa-XY"]}).outside()
    assert "fa_AF" in caught.value.alternatives
    with pytest.raises(RecipeError, match="no locale 'klingon'"):
        read_all(Cldr(languages=("en", "klingon")))


def test_a_kind_without_names_in_both_is_refused(monkeypatch):
    monkeypatch.setattr(names, "names", lambda kind, side: {})
    with pytest.raises(DataError, match="no months that en and fa both name"):
        read_all(Cldr(kinds=("months",)))


@pytest.mark.parametrize(("library", "name"), [("babel", "Babel"), ("num2words", "num2words")])
def test_a_missing_library_is_named(library, name, monkeypatch):
    for module in [module for module in sys.modules if module.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MachineError, match=f"needs the library {name}") as caught:
        read_all(Cldr(kinds=("words",)))
    assert caught.value.next_step == "pip install 'sevenfold[prepare]'"


def test_the_versions_of_the_libraries_are_the_fingerprint():
    assert set(Cldr().fingerprints()) == {"babel", "num2words"}
    assert set(Cldr(kinds=("months",)).fingerprints()) == {"babel"}


def test_all_instructions_have_what_they_need():
    assert set(QUESTIONS) == set(FORMS) == set(NOUNS) == set(LANGUAGES)
    for language in LANGUAGES:
        assert {task: set(found) for task, found in QUESTIONS[language].items()} == {
            task: set(found) for task, found in QUESTIONS["en"].items()
        }
        assert set(NOUNS[language]) == set(KINDS) - {"lists", "words"}
        assert set(FORMS[language]) == set(FORMS["en"])
        for wordings in QUESTIONS[language].values():
            assert all("{text}" in template for template in wordings.values())


def test_pairs_have_a_wrong_answer_of_the_right_form():
    right = {row.values["prompt"]: row.values["completion"] for row in read_all(Cldr(count=1500))}
    pairs = [row.values for row in read_all(Cldr(count=1500, rejected=True))]
    assert 800 < len(pairs) < 1500
    for pair in pairs:
        assert pair["chosen"] == right[pair["prompt"]]
        assert pair["rejected"] != pair["chosen"]
    of_format = defaultdict(set)
    for pair in pairs:
        of_format[pair["format"]].add(pair["chosen"])
    known = sum(pair["rejected"] in of_format[pair["format"]] for pair in pairs)
    assert known > len(pairs) / 2
