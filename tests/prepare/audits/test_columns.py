"""Columns: planted gaps, constants, mixed types and odd lengths."""

from __future__ import annotations


def test_planted_defects_are_found_and_nothing_else(audit):
    rows = [
        {
            "prompt": f"q {n}",
            "completion": "x",
            "name": f"name {n}" if n % 10 else "n/a",
            "same": "always",
            "age": str(20 + n) if n != 7 else "twenty",
            "text": "short" if n != 3 else "long " * 50,
            "day": f"2024-01-{1 + n % 28:02d}",
            "fine": "ab"[n % 2],
        }
        for n in range(100)
    ]
    found = audit(rows, "columns")
    figures = found["figures"]["columns"]
    assert {name: one["missing"] for name, one in figures.items() if one["missing"]} == {"name": 10}
    assert [name for name, one in figures.items() if one["constant"]] == ["same"]
    assert figures["age"]["types"] == {"number": 99, "text": 1}
    assert figures["day"]["types"] == {"date": 100}
    assert figures["text"]["odd_lengths"] == 1
    assert figures["fine"]["frequent"] == {"a": 50, "b": 50}
    assert {advice.split()[0].rstrip(":") for advice in found["advice"]} == {"name", "same", "age", "text"}


def test_rows_without_other_columns(audit):
    found = audit([{"prompt": "q", "completion": "a"}], "columns")
    assert found["said"] == "No other column is kept with the rows."
