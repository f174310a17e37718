"""Harmful text by lists of words: what is planted is found, and clean text is not."""

from __future__ import annotations

import pytest

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError, RecipeError
from sevenfold.evaluate.passages import passages
from sevenfold.guard.words import OWN, entries
from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.clean.harmful import Harmful
from sevenfold.prepare.dataset import Row
from tests.prepare.conftest import section_of


def row(text: str, **fields: str) -> Row:
    return Row(Conversation((Message("user", "Hi"), Message("assistant", text))), "rows:1", fields)


@pytest.mark.parametrize("language", sorted(OWN))
def test_every_word_of_a_list_is_found_as_its_category(language):
    check = Harmful(languages=(language,)).start()
    for category, words in entries(OWN[language]).items():
        for word in words:
            found = check(row(f"So: {word.capitalize()}!"))
            assert isinstance(found, Row)
            assert category in found.fields["harmful"].split(","), word


@pytest.mark.parametrize(
    ("text", "categories"),
    [
        ("I  WILL\nkill you", "threat"),
        ("those bastards, kill yourself", "profanity,self-harm"),
        ("تو يك حرام‌زاده اي", None),
        ("او حرامزاده‌ها را دید", "profanity"),
        ("مادر\u200cجنده", "profanity"),
        ("مي\u200cكشمت", "threat"),
    ],
)
def test_ways_of_writing(text, categories):
    found = Harmful().start()(row(text))
    assert isinstance(found, Row)
    assert found.fields.get("harmful") == categories


@pytest.mark.parametrize(
    "text",
    [
        "Scunthorpe, a classic assassin, Dickens, cocktails, shiitake, spice, chinks of light in Essex",
        "هر کس کتاب را کشید و کشت، دبیر و سکوی کشتی و ترک خانه",
        "The process was killed; kill the task you started.",
    ],
)
def test_words_that_only_contain_one_are_not_found(text):
    clean = row(text)
    # "chinks" is a plain word too, and the list has it: the plural of a slur and this one are written alike.
    assert Harmful(categories=("profanity", "threat", "sexual")).start()(clean) is clean


def test_no_false_alarm_in_the_general_passages():
    check = Harmful().start()
    for passage in passages("own"):
        check(row(passage))
    assert check.figures == {}


def test_drop_count_least_and_categories():
    bad = row("shit, fuck")
    assert Harmful(action="drop").start()(bad) == Dropped("harmful")
    counting = Harmful(action="count").start()
    assert counting(bad) is bad
    assert counting.figures == {"profanity": 1, "rows with any": 1}
    assert Harmful(least=3).start()(bad) is bad
    assert Harmful(categories=("threat",)).start()(bad) is bad
    assert Harmful(languages=("fa",)).start()(bad) is bad


def test_a_rejected_answer_may_be_harmful():
    given = row("A kind answer.", rejected="fuck off")
    assert Harmful().start()(given) is given


def test_a_list_of_the_user_s_own(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("# ours\nrival\tAcme Corp\n\n", encoding="utf-8")
    found = Harmful(words=str(words)).start()(row("Buy it at acme  corp now"))
    assert isinstance(found, Row)
    assert found.fields == {"harmful": "rival"}
    words = tmp_path / "broken.txt"
    words.write_text("rival\tAcme\nno category\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Harmful(words=str(words)).start()
    assert caught.value.where == f"{words}:2"
    with pytest.raises(DataError, match="cannot be read"):
        Harmful(words=str(tmp_path / "none.txt")).start()


def test_a_changed_list_is_another_identity(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("rival\tAcme\n")
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n")
    section = section_of(source=str(rows), clean=["harmful", {"harmful": {"words": str(words)}}])
    before = section.outside()
    words.write_text("rival\tOther\n")
    assert {key for key, value in section.outside().items() if before[key] != value} == {f"clean 2:{words}"}
    words.unlink()
    with pytest.raises(DataError, match="there is no list of words"):
        section.outside()


def test_a_category_that_no_list_has_is_refused():
    with pytest.raises(RecipeError) as caught:
        Harmful(categories=("threats",)).start()
    assert caught.value.suggestion == "threat"


def test_planted_rows_are_counted_in_the_report_and_keep_a_column(run, write_rows):
    texts = ["fine", "you cunt", "kill yourself", "خفه شو کسکش", "all good", "سلام"]
    rows = [{"prompt": f"Say {number}", "completion": text} for number, text in enumerate(texts)]
    done = run(source=write_rows(rows), clean=["harmful"])
    assert done.report["found"] == {"harmful": {"rows with any": 3, "profanity": 2, "self-harm": 1}}
    assert sorted(row.fields["harmful"] for row in done.rows() if row.fields) == ["profanity", "profanity", "self-harm"]
    assert done.report["changed"] == {"harmful": 3}
