"""The steps for rows of unknown origin, one behind the other, on dirty rows in two languages."""

from __future__ import annotations

from collections import Counter

STEPS = [
    "mojibake",
    "html",
    "unicode",
    "whitespace",
    "persian",
    {"missing": {"policy": "fill", "fill": "unknown", "columns": ["topic"]}},
    "empty",
    {"repeats": {"phrases": ["This article suggests that"]}},
    {"quality": {"rules": ["gopher_repetition", "curly_braces", "lorem_ipsum"]}},
    "duplicates",
]
DIRTY = [
    ("Grüße?".encode().decode("latin-1"), "Greetings from Munich.", "Greetings from Munich.", "mojibake"),
    ("Fish?", "<p>Fish &amp; chips</p>", "Fish & chips", "html"),
    ("Joined?", "zero\u200bwidth", "zerowidth", "unicode"),
    ("Spaces?", "  tidy  ", "tidy", "whitespace"),
    ("كتاب را مي خواهي?", "اين كتاب ها خوب است .", "این کتاب‌ها خوب است.", "persian"),
    ("Twice?", "It is a good day. It is a good day. Go.", "It is a good day. Go.", "repeats"),
    ("Article?", "This article suggests that cats sleep.", "Cats sleep.", "repeats"),
]
LOST = [
    ("Braces?", "if { x }", "curly_braces"),
    ("Latin?", "Lorem ipsum dolor", "lorem_ipsum"),
    ("Gone?", "<br>", "empty_reply"),
]
CLEAN = [("What is it?", "It is a lighthouse."), ("این چیست؟", "این یک فانوس دریایی است و می‌درخشد.")]


def test_what_is_planted_is_found_and_what_is_clean_stays(run, write_rows):
    rows = [(prompt, reply) for prompt, reply, *_ in (*DIRTY, *LOST)] + CLEAN
    path = write_rows([{"prompt": p, "completion": r, "topic": "null" if p == "Fish?" else "t"} for p, r in rows])
    done = run(source=path, clean=STEPS)
    assert done.report["dropped"] == {reason: 1 for *_, reason in LOST}
    # The row that is emptied by html is changed by it first.
    planted = Counter(step for *_, step in DIRTY) + Counter({"missing": 1, "html": 1})
    assert {step: count for step, count in done.report["changed"].items() if count} == planted
    assert done.report["found"] == {"repeats": {"repeated_sentence": 1, "opening": 1}}
    kept = {row.conversation.reference() for row in done.rows()}
    assert kept == {expected for _, _, expected, _ in DIRTY} | {reply for _, reply in CLEAN}
