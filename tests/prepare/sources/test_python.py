from __future__ import annotations

import ast

import pytest

from sevenfold.prepare.sources.python import SKIPPED, Python
from tests.prepare.conftest import read_all

CODE = '''
import functools


@functools.cache
def add(a, b):
    """Add two numbers and give their sum, whatever they are."""
    # A comment that stays.
    return a + b


class Box:
    def open(self):
        """Open the box and look what is in it.

        Nothing may be in it.
        """

        def inner():
            """An inner function is part of its outer one."""
            return 1

        return inner()

    async def close(self):
        "Close the box again, gently and without any noise."
        return None


def undocumented():
    return 1


def only_documented():
    """Nothing but a docstring is here, so there is no code to ask about."""


def short():
    """Too short."""
    return 1


def one_line(): "A docstring on the line of its function cannot be cut out."; return 1
'''


@pytest.fixture
def package(write, tmp_path):
    write("package/things.py", CODE)
    write(
        "package/deep/__init__.py", "def far(x):\n    '''Far away, in a package inside the package.'''\n    return x\n"
    )
    return str(tmp_path / "package")


def test_functions_become_rows(package):
    rows = read_all(Python(path=package))
    assert [(row.values["module"], row.values["function"]) for row in rows] == [
        ("deep", "far"),
        ("things", "add"),
        ("things", "Box.open"),
        ("things", "Box.close"),
    ]
    add = rows[1]
    assert add.origin == f"{package}/things.py:6"
    assert add.values["completion"] == "Add two numbers and give their sum, whatever they are."
    assert add.values["prompt"] == (
        "Write the docstring of this Python function.\n\ndef add(a, b):\n    # A comment that stays.\n    return a + b"
    )
    assert rows[2].values["completion"] == "Open the box and look what is in it.\n\nNothing may be in it."
    assert rows[3].values["prompt"].endswith("async def close(self):\n    return None")


def test_a_file_that_does_not_parse_is_named_and_the_others_are_read(package, write):
    write("package/old.py", "x = 1\nprint 'hello'\n")
    notes: list[str] = []
    assert len(read_all(Python(path=package), notes)) == 4
    assert "1 files are not Python" in notes[0]
    assert "old.py:2" in notes[0]


def test_the_standard_library_gives_rows_whose_code_parses_and_hides_the_answer():
    rows = read_all(Python(path="stdlib"))
    assert len(rows) > 3000
    for row in rows[::25]:
        code = row.values["prompt"].split("\n\n", 1)[1]
        function = ast.parse(code).body[0]
        assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        assert ast.get_docstring(function) != row.values["completion"]
        assert SKIPPED.isdisjoint(row.origin.split("/"))


def test_the_fingerprint_follows_the_code(package, write):
    before = Python(path=package).fingerprints()
    write("package/things.py", CODE.replace("sum", "total"))
    assert Python(path=package).fingerprints() != before
    assert set(Python(path="stdlib").fingerprints()) == {"python", "stdlib"}


@pytest.fixture
def boxes(tmp_path):
    """A file with a module's, a class's and a method's docstring."""
    (tmp_path / "boxes.py").write_text(
        '"""Boxes and what is in them.\n\nA box is a thing that can be opened, and closed again with care."""\n\n\n'
        'class Box:\n    """A box that opens.\n\n    It holds what was put into it, until somebody takes it out."""\n\n'
        '    def open(self, how: str) -> bool:\n        """Open the box as is asked,\n        or say why not.\n\n'
        '        What is in it stays where it is, whatever happens then."""\n        # With care.\n'
        "        if how:\n            return True\n        return False\n"
    )
    return tmp_path


def test_a_summary_is_asked_from_what_follows_it(boxes) -> None:
    rows = read_all(Python(path=str(boxes), task="summary"))
    assert [(row.values["function"], row.values["completion"]) for row in rows] == [
        ("", "Boxes and what is in them."),
        ("Box.open", "Open the box as is asked, or say why not."),
        ("Box", "A box that opens."),
    ]
    asked = rows[1].values["prompt"]
    assert asked.startswith("Say in one line")
    assert asked.endswith("\n\nWhat is in it stays where it is, whatever happens then.")
    assert rows[0].origin.endswith("boxes.py:1")


def test_a_body_is_asked_from_signature_and_docstring(boxes) -> None:
    (row,) = read_all(Python(path=str(boxes), task="body", ask="Go on."))
    assert row.values["prompt"].startswith('Go on.\n\ndef open(self, how: str) -> bool:\n    """Open the box')
    assert row.values["completion"] == "# With care.\nif how:\n    return True\nreturn False"
    code = row.values["prompt"].removeprefix("Go on.\n\n")
    body = "".join(f"    {line}\n" for line in row.values["completion"].splitlines())
    ast.parse(f"{code}\n{body}")


def test_a_function_alone_is_text(boxes) -> None:
    (row,) = read_all(Python(path=str(boxes), task="text"))
    assert set(row.values) == {"text", "module", "function"}
    assert ast.parse(row.values["text"]).body[0].name == "open"
