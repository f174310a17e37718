from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import MachineError
from sevenfold.prepare.clean._windows import reread
from sevenfold.prepare.clean.mojibake import Mojibake, repairer
from sevenfold.prepare.dataset import Row

CLEAN = [
    "سلام دنیا، می‌خواهم کتاب بخوانم.",
    "«نقل قول»؛ ۱۲۳ و ٪۵۰",
    "Ein süßes Café – naïve œuvre … “quoted” ‘text’",
    "¿Qué? Ünïcödé 你好世界 Привет мир",
    "if a < b && c > d: x = '&amp;'",
    "ﬁne ＡＢＣ \x1b[1m",
]
REPAIR = repairer()


def misread(text: str, times: int, encoding: str) -> str:
    for _ in range(times):
        text = text.encode("utf-8").decode(encoding)
    return text


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("text", ["سلام دنیا، کتاب خوبی بود", "café à la crème", "Grüße aus München", "Привет, мир"])
def test_text_that_was_misread_is_found_and_mended(text, times):
    assert REPAIR(misread(text, times, "latin-1")) == text


def test_clean_text_is_left_alone():
    rows = [Row(Conversation((Message("user", text), Message("assistant", text))), "rows:1") for text in CLEAN]
    clean = Mojibake().start()
    assert [clean(row) is row for row in rows] == [True] * len(CLEAN)


PERSIAN = [
    "سلام دنيا، خوبي؟",
    "اين کتاب بسيار خوب است و من آن را دوست دارم.",
    "دانشگاه تهران در سال ۱۳۱۳ تأسيس شد".replace("۱۳۱۳", "1313"),
    "زبان عربي جميلة جدا",
    "سلام",
    "من مي\u200cروم (فردا) به خانه",
]


@pytest.mark.parametrize("text", PERSIAN)
def test_windows_1256_that_was_read_as_western_text_is_mended(text):
    assert REPAIR(text.encode("cp1256").decode("latin-1")) == text
    assert REPAIR("".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in text.encode("cp1256"))) == text


def test_misread_words_between_english_ones_are_mended():
    text = "The word سلام means hello, and کتاب means book"
    assert REPAIR(text.encode("cp1256").decode("latin-1")) == text


def test_no_name_of_any_language_is_taken_for_misread():
    """False alarms on the names of countries and languages in all languages of the CLDR: none."""
    from babel import Locale
    from babel.localedata import locale_identifiers

    changed, seen = [], 0
    for code in locale_identifiers():
        if "_" not in code:
            locale = Locale.parse(code)
            names = [*locale.territories.values(), *locale.languages.values()]
            seen += len(names)
            # Together as in a text, and each alone.
            changed += [name for name in [*names, " ".join(names)] if reread(name) != name]
    assert seen > 50_000
    assert changed == []


@pytest.mark.parametrize(
    "text",
    [
        "ÆØÅ æøå",
        "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛ",
        "ÄÖÜ äöü ß",
        "À l'été, où ça ? É, Ô.",
        "ÁÉÍÓÚ áéíóú ñÑ",
        "Ó á é",
        "ÉTÉ ÀÂÇ",
    ],
)
def test_letters_that_are_meant_stay(text):
    assert reread(text) == text


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(min_codepoint=1, max_codepoint=0x700), max_size=60))
def test_twice_is_once(text):
    once = REPAIR(text)
    assert REPAIR(once) == once


def test_a_missing_library_is_named_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ftfy", None)
    with pytest.raises(MachineError, match="ftfy is not installed") as caught:
        Mojibake().start()
    assert caught.value.next_step == "pip install 'sevenfold[prepare]'"
