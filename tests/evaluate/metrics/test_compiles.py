"""Whether an answer is Python: parsed, never run."""

from __future__ import annotations

import pytest

from sevenfold.evaluate.metrics.compiles import Compiles


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("return one + two", True),
        ("    total = 0\n    for one in many:\n        total += one\n    return total", True),
        ("def f(x):\n    return x", True),
        ("await it\nyield 1", True),
        ("import os; os._exit(1)", True),
        ("return one +", False),
        ("if x:\nreturn", False),
        ("The sum of both.", False),
        ("", False),
        ("  \n", False),
        ("x = '\0'", False),
        ("(" * 5000, False),
    ],
)
def test_python_is_told_from_other_text(answer: str, right: bool) -> None:
    assert Compiles().value(answer, "pass") == float(right)
