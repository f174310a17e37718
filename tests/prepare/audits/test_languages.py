"""Languages and scripts: what was planted is counted."""

from __future__ import annotations

import sys

from sevenfold.prepare.audits._scripts import main_script, scripts_of

ENGLISH = "The quiet river runs behind the old houses of the village, question {}"
ENGLISH_REPLY = "Children play there in the long evenings of summer, and nobody calls them home before dark"
PERSIAN = "رودخانهٔ آرام از پشت خانه‌های قدیمی روستا می‌گذرد، پرسش {}"
PERSIAN_REPLY = "بچه‌ها عصرهای بلند تابستان آنجا بازی می‌کنند و کسی پیش از تاریکی صدایشان نمی‌زند"


def rows(english: int, persian: int, mixed: int) -> list[dict]:
    return [
        *({"prompt": ENGLISH.format(n), "completion": ENGLISH_REPLY} for n in range(english)),
        *({"prompt": PERSIAN.format(n), "completion": PERSIAN_REPLY} for n in range(persian)),
        *({"prompt": ENGLISH.format(1000 + n), "completion": PERSIAN_REPLY} for n in range(mixed)),
    ]


def test_planted_languages_and_mixed_rows_are_counted(audit):
    found = audit(rows(60, 30, 10), {"languages": {"among": ["en", "fa"]}})["figures"]
    assert found["mixed_rows"] == 10
    assert found["languages"]["en"] + found["languages"]["fa"] == 100
    assert found["languages"]["fa"] >= 30
    assert found["scripts"]["Latin"] + found["scripts"]["Arabic"] == 100


def test_a_sample_is_said_and_has_every_split(audit):
    found = audit(rows(80, 20, 0), {"languages": {"rows": 50}}, split={"validation": 10, "test": 10})
    assert found["figures"]["rows"] == 50
    assert "50 of 100 rows, evenly spaced" in found["said"]
    assert found["tables"][0]["head"] == ["language", "rows", "train", "validation", "test"]


def test_without_the_package_scripts_are_counted(audit, monkeypatch):
    from sevenfold.prepare.clean.language import identifier

    identifier.cache_clear()
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    found = audit(rows(6, 4, 0), "languages")["figures"]
    identifier.cache_clear()
    assert found["languages"] == {}
    assert found["scripts"] == {"Latin": 6, "Arabic": 4}


def test_scripts_are_told_by_their_letters():
    assert main_script(scripts_of("سلام hello سلام سلام")) == "Arabic"
    assert main_script(scripts_of("12 ... !")) == "no letters"
    assert dict(scripts_of("Привет 漢字 αβγ")) == {"Cyrillic": 6, "Han": 2, "Greek": 3}
    assert scripts_of("ab\u16a0")["other"] == 1
