from __future__ import annotations

import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.clean import unicode as unicode_step
from sevenfold.prepare.clean._persian.language import is_persian
from sevenfold.prepare.clean.persian import Persian
from sevenfold.prepare.dataset import Row
from tests.prepare.conftest import section_of

PLANTED = [
    ("كتاب علي را مي خواهم", "کتاب علی را می‌خواهم"),
    ("او نمی رود و من می مانم", "او نمی‌رود و من می‌مانم"),
    ("میخواهم و نمیدانم چه میگوید", "می‌خواهم و نمی‌دانم چه می‌گوید"),
    ("این کتاب ها را از خانه های ما", "این کتاب‌ها را از خانه‌های ما"),
    ("بزرگ ترین شهر از این کوچک تر است", "بزرگ‌ترین شهر از این کوچک‌تر است"),
    ("من رفته ام و آنها گفته اند", "من رفته‌ام و آنها گفته‌اند"),
    ("سلام ، حال شما چطور است ?", "سلام، حال شما چطور است؟"),
    ("این،آن را دید", "این، آن را دید"),
    ("این است.اما آن نیست", "این است. اما آن نیست"),
    ("او گفت « سلام دوستان » و رفت", "او گفت «سلام دوستان» و رفت"),
    ("ســلام از مـــا", "سلام از ما"),
    ("این  کتاب   خوب است", "این کتاب خوب است"),
    ("شماره ٠١٢٣ را بگیر", "شماره ۰۱۲۳ را بگیر"),
    ("\u200cاین \u200cخانه\u200c\u200cها \u200c است", "این خانه‌ها است"),
    ("ﺳﻼﻡ از این دنیا", "سلام از این دنیا"),
    ("خانۀ ما با این", "خانه\u0654 ما با این"),
]
CLEAN = [
    "می‌خواهم کتاب‌هایی را که «نوشته‌اند» بخوانم؛ ۱۲۳۴ آیا مؤلّفِ آن پیداست؟",
    "جام می ناب در میدان بزرگ شهر بود.",
    "پژوهش میدانی در میان مردم میهن ما؛ میوه، میراث و میزان.",
    "با چشم تر به ماه ای دوست نگاه کرد.",
    "به ای کاش گفت که همه ات را دید.",
    "در سال ۱۴۰۲ ه.ش. تولید ۳.۵ درصد رشد کرد (۱۲:۳۰).",
    "فایل `كد.py` را از https://example.org/ي?q=1,2 بگیر و به a.b@c.org بفرست.",
    "برنامه:\n```python\nx = 'ي  ك' ,y\n    if x : pass\n```",
    "نسخه v2.1 از GPT4، 12 عدد",
    "این سه بهتر از آن‌هاست: خوب، بد، زشت!",
]
FOREIGN = [
    "هذا كتاب علي الذي قرأته في المدرسة ,ثم ذهبت",
    "یہ کتاب میں نے پڑھی ہے اور اچھی ہے",
    "ئەم کتێبە باشە",
    "The cat sat , and   the dog ran ?",
    "12 345",
]


@pytest.mark.parametrize(("text", "expected"), PLANTED)
def test_planted_faults_are_put_right(text, expected):
    assert Persian().clean(text) == expected


@pytest.mark.parametrize("text", [*CLEAN, *FOREIGN])
def test_what_is_right_or_not_persian_stays(text):
    assert Persian().clean(text) == text


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("persian", "از ۱۲ تا ۳ و 45 در GPT4"),
        ("all_persian", "از ۱۲ تا ۳ و ۴۵ در GPT4"),
        ("latin", "از 12 تا 3 و 45 در GPT4"),
        ("keep", "از ١٢ تا ۳ و 45 در GPT4"),
    ],
)
def test_digits_are_a_choice(kind, expected):
    assert Persian(digits=kind).clean("از ١٢ تا ۳ و 45 در GPT4") == expected


def test_diacritics_are_a_choice():
    assert Persian(diacritics=False).clean("مؤلّفِ این کتابِ خوب") == "مؤلف این کتاب خوب"
    assert Persian().clean("مؤلّفِ این کتابِ خوب") == "مؤلّفِ این کتابِ خوب"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("اگه میخوام برم از اینجا", "اگر می‌خواهم برم از اینجا"),
        ("او میگه که نمیشه", "او می‌گوید که نمی‌شود"),
        ("چیه این؟ نمی‌دونم", "چیست این؟ نمی‌دانم"),
        ("می‌کنن و میتونید این را", "می‌کنند و میتونید این را"),
        ("این می‌روم و می‌خواهد و می‌دهد", "این می‌روم و می‌خواهد و می‌دهد"),
    ],
)
def test_informal_forms_are_a_choice(text, expected):
    assert Persian(informal=True).clean(text) == expected


def test_a_short_text_is_persian_when_the_recipe_says_so():
    assert Persian().clean("علي") == "علي"
    assert Persian(always=True).clean("علي") == "علی"


def test_a_row_that_is_right_is_the_same_object():
    row = Row(Conversation((Message("user", CLEAN[0]), Message("assistant", CLEAN[1]))), "rows:1")
    assert Persian().start()(row) is row


def test_the_recipe_names_the_digits():
    assert section_of(source="rows.csv", clean=[{"persian": {"digits": "latin"}}]).clean == [Persian(digits="latin")]


PIECES = st.sampled_from(
    [*"ابهیيكـ‌ ،؛؟?!.,:;«»()`\n٠۱2aّهٔۀﻻ", "می ", "نمی", " ها", " های", " تر", " ترین", "خواهم", "میخوام", " رفته ام",
     "این ", "از ", "```", "a@b.c", "http://", "  ", "گه", "خانه ", "ای ", "اند"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_twice_is_once_and_words_in_normal_form_stay_in_it(text):
    for step in (Persian(), Persian(always=True, informal=True, diacritics=False, digits="all_persian")):
        once = step.clean(text)
        assert step.clean(once) == once
        composed = step.clean(unicode_step.clean(text))
        assert unicode_step.clean(composed) == composed


@pytest.mark.parametrize(
    ("text", "persian"),
    [("سلام، این کتاب است", True), ("پدر", True), ("كتاب من كه از مادرم است", True), ("علي", False), ("hello", False)],
)
def test_the_language_is_known_by_letters_and_small_words(text, persian):
    assert is_persian(text) == persian


def names_of(locale: str) -> list[str]:
    babel = Locale(locale)
    return [*babel.languages.values(), *babel.territories.values(), *babel.currencies.values()]


@pytest.mark.parametrize(
    ("locale", "most"), [("fa", 1), ("ar", 0), ("ckb", 0), ("ur", 1), ("ug", 3), ("ps", 17)], ids=str
)
def test_false_alarms_on_the_names_of_cldr(locale, most):
    """Well-written names in Persian and its neighbours, each a text of its own: the hardest case for the language.

    The one Persian name has a half-space at its end, which is a fault of the name.
    """
    names = names_of(locale)
    assert len(names) > 600
    assert sum(Persian().clean(name) != name for name in names) <= most
