"""There and back: through a service over HTTP, and through a user's own class."""

from __future__ import annotations

import json

import pytest

from tests.generate.judging import service

WORDS = {"big": "groß", "house": "Haus", "old": "alt"}
BACK = {"groß": "large", "Haus": "house", "alt": "ancient"}
OWN = '''
from sevenfold.prepare.translators import Translator

class Shouting(Translator):
    """Another language is the same with other words."""
    def translate(self, text, source, target):
        return text.replace("big", "gross") if target == "German" else text.replace("gross", "huge")
'''


def translating(prompt: str) -> tuple[int, str, None]:
    """A dictionary of three words."""
    table = WORDS if "from English to German" in prompt else BACK
    text = prompt.split("<text>\n")[1].removesuffix("\n</text>")
    return 200, " ".join(table.get(word, word) for word in text.split(" ")), None


@pytest.fixture
def rows(write_rows):
    return write_rows(
        [{"prompt": f"a big old house number {n} {thing}", "completion": "yes"} for n, thing in enumerate("abcdefgh")]
    )


def made(found):
    return [row.conversation.messages[0].content for row in found.rows("train") if row.made_by]


def change(translator):
    return {"augment": {"ways": [{"back_translation": {"translator": translator}}], "alike": [-99, 1.0]}}


def test_by_a_service_whose_answers_are_kept(run, rows):
    with service(translating) as served:
        endpoint = {"address": served.address, "model": "translator"}
        found = run(source=rows, training=[change({"service": {"endpoint": endpoint}})])
        assert len(served.asked) == 16
        again = run(source=rows, training=[change({"service": {"endpoint": endpoint}})])
        assert len(served.asked) == 16
    assert sorted(made(found)) == [f"a large ancient house number {n} {thing}" for n, thing in enumerate("abcdefgh")]
    assert made(again) == made(found)
    kept = (found.entry.folder / "requests-augment.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(kept) == 16
    assert "groß" in json.loads(kept[0])["answer"]


def test_by_a_users_class(run, rows, write):
    found = run(source=rows, training=[change({"file": write("shouting.py", OWN)})])
    assert all("huge old" in text for text in made(found))
    assert len(made(found)) == 8
