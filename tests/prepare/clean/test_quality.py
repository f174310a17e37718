from __future__ import annotations

import pytest

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import RecipeError
from sevenfold.prepare.clean import Dropped
from sevenfold.prepare.clean._measures import Text, repeated_grams, top_gram
from sevenfold.prepare.clean.quality import GROUPS, RULES, Quality
from sevenfold.prepare.dataset import Row
from tests.prepare.conftest import section_of

ENGLISH = (
    "The old lighthouse stands at the end of a narrow path that few people have walked in recent years. From its "
    "gallery you can see three islands, a fishing village, and on clear evenings the distant mountains.\n\n"
    "Keepers used to live here with their families, growing vegetables behind thick stone walls. When automatic lamps "
    "arrived, everybody moved to town; only swallows return each spring to be near the warm glass. Nobody minds."
)
PERSIAN = (
    "فانوس دریایی قدیمی در انتهای راه باریکی ایستاده است که در سال‌های اخیر کمتر کسی از آن گذشته است. از بالای آن سه "
    "جزیره، یک روستای ماهیگیری و در غروب‌های روشن کوه‌های دور را می‌توان دید.\n\n"
    "نگهبانان زمانی با خانواده‌های خود اینجا زندگی می‌کردند و پشت دیوارهای سنگی سبزی می‌کاشتند. وقتی چراغ‌های خودکار "
    "رسیدند همه به شهر رفتند؛ تنها پرستوها هر بهار به کنار شیشه گرم آن برمی‌گردند. کسی ناراحت نیست."
)
CHINESE = "这座古老的灯塔矗立在一条狭窄小路的尽头，近年来很少有人走过。从上面可以看到三个岛屿。晚上可以看到远山。"
UNIQUE = " ".join(f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(200))
PLANTED = {
    "too_few_words": "The end of the story and that be it.",
    "too_many_words": "ab cde " * 50_001,
    "short_words": "a b to of " * 20,
    "long_words": "extraordinarily incomprehensible " * 30,
    "many_symbols": "#tag the and # # of\n" * 12,
    "bullet_lines": "\n".join(f"- the item and {n}" for n in range(20)),
    "ellipsis_lines": "The start of it and...\n" * 10 + ENGLISH,
    "few_alphabetic_words": ENGLISH + " 12 34" * 20,
    "few_stop_words": UNIQUE,
    "repeated_lines": "same line\n" * 5 + "another",
    "repeated_paragraphs": "same\n\nsame\n\nother",
    "repeated_line_characters": "a\nb\nc\nd\ne\nf\na long line that comes back\na long line that comes back",
    "repeated_paragraph_characters": "a\n\nb\n\nc\n\nd\n\ne\n\nlong paragraph\n\nlong paragraph",
    "top_2_gram": "red fox one red fox two red fox",
    "top_3_gram": "a red fox one a red fox two",
    "top_4_gram": "see a red fox one see a red fox two",
    "few_ended_lines": "\n".join(["a menu", "of links"] * 10),
    "few_sentences": "One. Two.",
    "curly_braces": "f() { }",
    "lorem_ipsum": "Lorem Ipsum dolor",
    "javascript": "Please enable JavaScript to go on.",
    **{f"repeated_{size}_grams": "one two three four five six seven eight nine ten x " * 2 for size in range(5, 11)},
}


def row(reply: str, prompt: str = "Tell") -> Row:
    return Row(Conversation((Message("user", prompt), Message("assistant", reply))), "rows:1")


@pytest.mark.parametrize("name", RULES)
def test_every_rule_finds_what_is_planted_and_names_itself(name):
    assert Quality(rules=[name]).start()(row(PLANTED[name])) == Dropped(name)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("text", [ENGLISH, PERSIAN], ids=["english", "persian"])
def test_no_rule_drops_good_prose(name, text):
    before = row(text)
    assert Quality(rules=[name]).start()(before) is before


def test_scripts_without_spaces_or_a_list_of_stop_words_are_not_judged_by_words():
    assert Quality(rules=["gopher"]).start()(row(CHINESE)) == row(CHINESE)
    russian = row("Старый маяк стоит в конце узкой тропы где давно никто не ходил " * 5)
    assert Quality(rules=["few_stop_words"]).start()(russian) is russian
    keywords = row("خرید فروش گوشی موبایل ارزان قیمت تهران " * 9)
    assert Quality(rules=["few_stop_words"]).start()(keywords) == Dropped("few_stop_words")


def test_limits_are_a_choice_and_the_prompt_is_not_judged():
    assert Quality(rules=["too_few_words"], limits={"too_few_words": 2}).start()(row("Two words")) == row("Two words")
    assert isinstance(Quality(rules=["curly_braces"]).start()(row("fine", "{")), Row)


def test_bad_words_are_whole_words_in_any_case():
    check = Quality(rules=["bad_words"], bad_words=["darn", "بدواژه"]).start()
    texts = ["Darn it", "darning socks", "این بدواژه است", "fine"]
    assert [isinstance(check(row(text)), Dropped) for text in texts] == [True, False, True, False]


def test_grams_by_hand():
    assert top_gram(["aa", "bb", "cc", "aa", "bb"], 2) == pytest.approx(8 / 10)
    assert top_gram(["aa", "bb", "cc"], 2) == 0
    assert repeated_grams(["a", "b", "c", "d", "e", "x", "a", "b", "c", "d", "e"], 5) == pytest.approx(10 / 11)
    assert Text("").words == []


def test_every_group_holds_rules_and_wrong_names_are_refused():
    assert {name for group in GROUPS.values() for name in group} == set(RULES)
    assert section_of(source="r.csv", clean=[{"quality": ["gopher"]}]).clean == [Quality(rules=["gopher"])]
    with pytest.raises(RecipeError, match="there is no rule 'gofer'; did you mean gopher"):
        section_of(source="r.csv", clean=[{"quality": ["gofer"]}])
    with pytest.raises(RecipeError, match="there is no rule 'c4'"):
        section_of(source="r.csv", clean=[{"quality": {"limits": {"c4": 1}}}])
    with pytest.raises(RecipeError, match="bad_words needs words"):
        section_of(source="r.csv", clean=[{"quality": ["bad_words"]}])
