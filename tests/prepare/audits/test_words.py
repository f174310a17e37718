"""Words: phrases, openings and vocabulary against counts by hand."""

from __future__ import annotations


def test_phrases_and_openings_are_counted_once_a_row(audit):
    rows = [
        *({"prompt": f"a b c a b c {n}", "completion": f"Sure, here it is: {n}"} for n in range(30)),
        *({"prompt": f"d e f {n}", "completion": f"reply number x{n} y{n} z{n}"} for n in range(70)),
    ]
    found = audit(rows, {"words": {"rows": None}})
    figures = found["figures"]
    assert figures["phrases"]["train"]["a b c"] == 30
    assert figures["phrases"]["train"]["d e f"] == 70
    assert figures["openings"]["sure here it is"] == 30
    assert figures["words"] == 30 * 12 + 70 * 9
    assert "begin with 'sure here it is'" in found["advice"][0]


def test_by_label(audit):
    rows = [{"prompt": f"{label} talks here {n}", "completion": "x", "k": label} for label in "ab" for n in range(5)]
    phrases = audit(rows, {"words": {"by": "k"}})["figures"]["phrases"]
    assert phrases["a"]["a talks here"] == 5
    assert "a talks here" not in phrases["b"]
