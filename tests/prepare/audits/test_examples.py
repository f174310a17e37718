"""Rows to read: the planted odd ones are among them, none twice."""

from __future__ import annotations


def test_the_odd_ones_are_shown(audit):
    rows = [{"prompt": f"what is the sum of {n} and two today", "completion": f"it is {n}"} for n in range(200)]
    rows[50] = {"prompt": "what is the sum", "completion": "!"}
    rows[60] = {"prompt": "what is the sum", "completion": "it is " * 80}
    rows[70] = {"prompt": "xylophone quartz vexing jumbled glyphs", "completion": "nymph ok"}
    origins = audit(rows, "examples")["figures"]["origins"]
    assert origins["shortest reply"][0].endswith(":51")
    assert origins["longest reply"][0].endswith(":61")
    assert origins["most unusual"][0].endswith(":71")
    shown = [origin for places in origins.values() for origin in places]
    assert len(shown) == len(set(shown)) == 12
