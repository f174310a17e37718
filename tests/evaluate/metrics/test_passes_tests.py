"""Answers with code in them."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.metrics._fenced import unfenced
from sevenfold.evaluate.metrics.passes_tests import PassesTests
from tests.evaluate.metrics.asked import question

TESTS = "assert double(2) == 4\nassert double(-1) == -2"


def test_each_answer_meets_its_own_tests() -> None:
    answers = [
        "Here it is:\n```python\ndef double(x):\n    return 2 * x\n```\nIt doubles.",
        "    def double(x):\n        return 2 * x",
        "def double(x):\n    return x * x",
        "I cannot.",
        "",
    ]
    assert PassesTests().values(answers, [question(tests=TESTS)] * 5) == [1, 1, 0, 0, 0]


def test_an_answer_may_go_on_where_the_prompt_ends() -> None:
    asked = question("def double(x):\n    '''Twice x.'''\n", checks=TESTS)
    metric = PassesTests(continues=True, column="checks")
    assert metric.values(["    return 2 * x", "    return x"], [asked, asked]) == [1, 0]


def test_a_row_without_tests_is_named() -> None:
    with pytest.raises(DataError, match="nothing in the column 'tests'") as caught:
        PassesTests().values([""], [question(number=6, test=TESTS)])
    assert caught.value.where == "rows:7"
    assert "test" in caught.value.alternatives


@pytest.mark.parametrize(
    ("answer", "inside"),
    [
        ("```\na\nb\n```", "a\nb\n"),
        ("Yes:\n~~~json\n{}\n~~~\n\n```\nlater\n```", "{}\n"),
        ("plain `code` here", "plain `code` here"),
        ("```python\nno end", "```python\nno end"),
    ],
)
def test_what_stands_in_the_fence(answer, inside) -> None:
    assert unfenced(answer) == inside
