"""Sentences, words, stems, lemmas and stop words of English and Persian, each in a column beside the text."""

from __future__ import annotations

import sys

import pytest

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError, MachineError, RecipeError
from sevenfold.prepare.clean.lemmas import Lemmas
from sevenfold.prepare.clean.sentences import Sentences, sentences
from sevenfold.prepare.clean.stems import NAMES, Stems
from sevenfold.prepare.clean.stop_words import LISTS, StopWords
from sevenfold.prepare.clean.tokenise import Tokenise
from sevenfold.prepare.dataset import Row


def found(step, text: str) -> list[str]:
    row = Row(Conversation((Message("user", "?"), Message("assistant", text))), "rows:1")
    written = step.model_copy(update={"of": "reply"}).start()(row)
    assert written.conversation == row.conversation
    return written.fields[step.column].split(step.separator)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met J. Brown at 3.5 p.m. and left. They ate, e.g. bread.", None),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("سلام. حال شما چطور است؟ خوبم! ۳.۵ متر", ["سلام.", "حال شما چطور است؟", "خوبم!", "۳.۵ متر"]),
        ("a line\nanother line", ["a line", "another line"]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("Wait... what? see example.org.", ["Wait...", "what?", "see example.org."]),
        ("", []),
    ],
)
def test_sentences(text, parts):
    parts = parts or ([text] if text and parts is None else [])
    if text.startswith("Dr."):
        parts = ["Dr. Smith met J. Brown at 3.5 p.m. and left.", "They ate, e.g. bread."]
    assert sentences(text) == parts


def test_words_and_marks_in_order():
    text = "I don't know: می‌روم، 3.5 (ok)!"
    tokens = ["I", "don't", "know", ":", "می‌روم", "،", "3.5", "(", "ok", ")!"]
    assert found(Tokenise(column="tokens"), text) == tokens
    assert found(Tokenise(column="tokens", marks=False), text) == ["I", "don't", "know", "می‌روم", "3.5", "ok"]


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("Connected, connecting connections", ["connect"] * 3),
        ("کتاب‌ها کتابهای كتاب", ["کتاب"] * 3),
        ("دانشجویان خانه‌ها", ["دانشجو", "خانه"]),
    ],
)
def test_stems_of_english_and_persian(text, stems):
    assert found(Stems(column="stems"), text) == stems


@pytest.mark.parametrize(
    ("text", "lemmas"),
    [
        ("Mice were running to better houses", ["mouse", "be", "run", "to", "good", "house"]),
        ("خانه‌ها دانشجویان بزرگترین كتابهای", ["خانه", "دانشجو", "بزرگ", "کتاب"]),
    ],
)
def test_lemmas_of_english_and_persian(text, lemmas):
    assert found(Lemmas(column="lemmas"), text) == lemmas


def test_stop_words_are_left_out_by_the_script_of_the_text():
    assert found(StopWords(column="said"), "The cat is NOT on the mat") == ["cat", "mat"]
    assert found(StopWords(column="said", but=("not",), more=("cat",)), "The cat is NOT on the mat") == ["not", "mat"]
    assert found(StopWords(column="said"), "این کتاب را از كتابخانه آورده بود که بخوانند") == [
        "کتاب",
        "کتابخانه",
        "آورده",
        "بخوانند",
    ]
    assert [len(text.split()) for text in LISTS.values()] == [len(set(text.split())) for text in LISTS.values()]


def test_every_name_of_a_language_has_its_rules():
    for code in NAMES:
        assert found(Stems(column="stems", language=code), "abc")


def test_the_text_that_is_read_can_be_chosen():
    row = Row(Conversation((Message("user", "red"), Message("assistant", "blue"))), "rows:1")
    for of, text in (("row", "red blue"), ("prompt", "red"), ("reply", "blue")):
        assert Tokenise(column="c", of=of).start()(row).fields["c"] == text


def test_what_is_not_known_is_refused(monkeypatch):
    with pytest.raises(RecipeError, match="no rules for 'xx'"):
        Stems(column="a", language="xx").start()
    with pytest.raises(RecipeError, match="no list of words for 'xx'"):
        Lemmas(column="a", language="xx").start()
    with pytest.raises(RecipeError, match="no list for 'de'"):
        StopWords(column="a", language="de").start()
    row = Row(Conversation((Message("user", "x"), Message("assistant", "y"))), "rows:1", {"a": "there"})
    with pytest.raises(DataError, match="has a column 'a' already"):
        Sentences(column="a").start()(row)
    monkeypatch.setitem(sys.modules, "simplemma", None)
    with pytest.raises(MachineError, match="simplemma is not installed"):
        Lemmas(column="a").start()


def test_through_the_stage(run, write_rows):
    rows = [{"prompt": "Books?", "completion": "کتاب‌ها را خواندم. خوب بود."}]
    steps = [{"stems": "stems"}, {"lemmas": "lemmas"}, {"sentences": "lines"}, {"stop_words": {"column": "said"}}]
    row = run(source=write_rows(rows), clean=[*steps, {"tokenise": {"column": "words", "of": "reply"}}]).rows()[0]
    assert row.fields["lines"].splitlines() == ["Books?", "کتاب‌ها را خواندم.", "خوب بود."]
    assert set(row.fields) == {"stems", "lemmas", "lines", "said", "words"}
