"""Languages are told, counted, kept and dropped."""

from __future__ import annotations

import sys

import pytest

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import MachineError, RecipeError
from sevenfold.evaluate.passages import passages
from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.clean.language import Language, identifier
from sevenfold.prepare.dataset import Row
from tests.prepare.conftest import section_of

ENGLISH = "The library opens at nine in the morning and closes late in the evening."
PERSIAN = "کتابخانه ساعت نه صبح باز می‌شود و شب دیر وقت می‌بندد."
GERMAN = "Die Bibliothek öffnet um neun Uhr morgens und schließt erst spät am Abend."
ARABIC = "تفتح المكتبة أبوابها في الساعة التاسعة صباحا وتغلق في وقت متأخر من المساء."
FRENCH = "La bibliothèque ouvre à neuf heures du matin et ferme tard dans la soirée."


def row(*texts: str, **fields: str) -> Row:
    return Row(Conversation(tuple(Message("user", text) for text in texts)), "rows:1", fields)


@pytest.mark.parametrize(
    ("text", "code"), [(ENGLISH, "en"), (PERSIAN, "fa"), (GERMAN, "de"), (ARABIC, "ar"), (FRENCH, "fr")]
)
def test_sentences_are_told(text, code):
    assert Language().of(text) == code


def test_every_general_passage_is_told():
    persian = [any("\u0600" < letter < "\u06ff" for letter in passage) for passage in passages("own")]
    assert [Language().of(passage) for passage in passages("own")] == ["fa" if told else "en" for told in persian]
    assert 0 < sum(persian) < len(persian)


@pytest.mark.parametrize("text", ["", "12 + 7 = 19", "Ok", "::: --- :::", "۱۲۳"])
def test_too_little_text_is_unknown(text):
    assert Language().of(text) == "unknown"


def test_rows_of_other_languages_are_dropped_by_name_and_counted():
    check = Language(keep=("en", "fa")).start()
    kept = [row(ENGLISH), row(PERSIAN), row("42")]
    assert [check(one) for one in kept] == kept
    assert all(check(one) is one for one in kept)
    assert check(row(GERMAN)) == Dropped("language_de")
    assert check.figures == {"en": 2, "fa": 2, "unknown": 2, "de": 1}
    assert Language(drop=("de",)).start()(row(GERMAN)) == Dropped("language_de")
    assert Language(keep=("en",), unknown="drop").start()(row("42")) == Dropped("language_unknown")


def test_each_message_by_itself_and_a_column():
    check = Language(keep=("en", "fa"), by="message", column="languages").start()
    assert check(row(ENGLISH, PERSIAN, "42")) == row(ENGLISH, PERSIAN, "42", languages="en,fa,unknown")
    assert check(row(ENGLISH, GERMAN)) == Dropped("language_de")


def test_only_the_languages_that_are_possible_are_considered():
    names = ["سامانی تاجیکستان", "کولون کاستاریکا"]
    assert [Language(among=("en", "fa")).of(name) for name in names] == ["fa", "fa"]
    assert Language(among=("en", "de")).of(ENGLISH) == "en"
    assert len(identifier(()).labels) > 90, "what is possible in one step binds no other"


def test_the_least_confidence():
    assert Language(confidence=1.0).of("Copenhagen airport") == "unknown"


def test_lists_that_cannot_be_meant_are_refused():
    with pytest.raises(RecipeError, match="keep and drop exclude each other"):
        section_of(source="a.csv", clean=[{"language": {"keep": ["en"], "drop": ["fa"]}}])
    with pytest.raises(RecipeError, match="has to stand in among"):
        section_of(source="a.csv", clean=[{"language": {"keep": ["en"], "among": ["fa", "de"]}}])
    with pytest.raises(RecipeError, match="'english' is no language") as caught:
        Language(keep=("english",)).start()
    assert "fa" in caught.value.alternatives


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    with pytest.raises(MachineError) as caught:
        identifier.__wrapped__(())
    assert "sevenfold[prepare]" in str(caught.value)


def test_the_report_counts_languages(run, write_rows):
    rows = [{"prompt": text, "completion": text} for text in (ENGLISH, PERSIAN, PERSIAN + "!", GERMAN)]
    done = run(source=write_rows(rows), clean=[{"language": ["en", "fa"]}])
    assert done.report["found"] == {"language": {"fa": 2, "en": 1, "de": 1}}
    assert done.report["dropped"] == {"language_de": 1}
    assert done.report["changed"] == {"language": 0}
