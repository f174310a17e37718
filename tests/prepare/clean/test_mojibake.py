from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import MachineError
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
