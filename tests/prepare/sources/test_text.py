from __future__ import annotations

import pytest

from sevenfold.prepare.sources.text import Text
from tests.prepare.conftest import read_all

TEXT = "first line\nsecond\n\n \nthird\r\nfourth\n"


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("lines", [("first line", 1), ("second", 2), ("third", 5), ("fourth", 6)]),
        ("paragraphs", [("first line\nsecond", 1), ("third\r\nfourth", 5)]),
        ("files", [(TEXT, 1)]),
    ],
)
def test_a_row_is_a_line_a_paragraph_or_a_file(write, unit, expected):
    path = write("notes.txt", TEXT)
    found = read_all(Text(path=path, unit=unit))
    assert [(row.values["text"], row.origin) for row in found] == [(text, f"{path}:{line}") for text, line in expected]
