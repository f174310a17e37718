"""Python code: what its functions say about themselves, and what they do, each asked from the other."""

from __future__ import annotations

import ast
import io
import sys
import sysconfig
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, find_paths
from sevenfold.prepare.sources import FileSource, RawRow, Reading
from sevenfold.record import digest

Function = ast.FunctionDef | ast.AsyncFunctionDef
SKIPPED = frozenset({"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "__pycache__"})
"""Folders of the standard library that hold no code worth learning from."""


Task = Literal["docstring", "summary", "body", "text"]
ASKS: dict[Task, str] = {
    "docstring": "Write the docstring of this Python function.",
    "summary": "Say in one line what this documentation describes.",
    "body": "Write the body of this Python function.",
}
"""What the user asks where the recipe says nothing."""


class Python(FileSource):
    """Documented functions of Python code; ``stdlib`` is the standard library of the running Python.

    Columns: ``prompt`` and ``completion``, or ``text``; ``module`` (to keep a module on one side of a split),
    ``function``.
    """

    suffixes = (".py",)
    path: str = Field(description="A package's folder, a file, a glob, or stdlib.")
    task: Task = Field(
        "docstring",
        description="What a row asks: docstring (from the code), summary (a docstring's first line, from what follows "
        "it; also of classes and modules), body (from signature and docstring); text: the function alone, for pretrain "
        "and fim.",
    )
    ask: str | None = Field(
        None, description="What the user asks, above the code or text; not given: a sentence for each task."
    )
    shortest: int = Field(40, ge=1, description="Docstrings of fewer characters are no rows.")

    @property
    def root(self) -> Path:
        """The folder that module names start at."""
        if self.path == "stdlib":
            return Path(sysconfig.get_paths()["stdlib"])
        path = Path(self.path).expanduser()
        return path if path.is_dir() else path.parent

    def files(self) -> list[File]:
        """The Python files; of the standard library without its tests and bundled tools."""
        if self.path != "stdlib":
            return [*find_paths(self.path, self.suffixes)]
        root = self.root
        return [*sorted(file for file in root.rglob("*.py") if SKIPPED.isdisjoint(file.relative_to(root).parts))]

    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of the code; for the standard library one digest of all files, beside Python's version."""
        if self.path != "stdlib":
            return super().fingerprints()
        files = super().fingerprints()
        return {"python": sys.version.split()[0], "stdlib": digest(sorted(files.values()))}

    def rows(self, reading: Reading) -> Iterator[RawRow]:
        """The documented functions; files that this Python cannot parse are named in a warning."""
        broken: list[str] = []
        for file in self.files():
            try:
                yield from self.read(file, reading)
            except DataError as error:
                broken.append(f"{error.where} ({error.problem})")
            reading.advance(file.stat().st_size)
        if broken:
            more = f" and {len(broken) - 5} more" if len(broken) > 5 else ""
            reading.warn(f"{len(broken)} files are not Python that this Python reads: {', '.join(broken[:5])}{more}")

    def read(self, file: File, reading: Reading) -> Iterator[RawRow]:
        """The documented functions of one file.

        Raises:
            DataError: The file does not parse.
        """
        file = Path(str(file))
        code = file.read_bytes()
        try:
            tree = ast.parse(code)
            # Not splitlines: it would also cut at form feeds, which the parser does not count as line ends.
            lines = [f"{line}\n" for line in decoded(code).split("\n")]
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            raise DataError(str(getattr(error, "msg", error)), where=f"{file}:{line}") from None
        inside = file.relative_to(self.root) if file.is_relative_to(self.root) else file
        module = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
        shown = inside if self.path == "stdlib" else file
        ask = ASKS.get(self.task, "") if self.ask is None else self.ask
        for name, node in (documented if self.task == "summary" else functions)(tree):
            exchange = TASKS[self.task](node, lines)
            if exchange and len(ast.get_docstring(node) or "") >= self.shortest:
                asked = {"prompt": f"{ask}\n\n{exchange['prompt']}"} if "prompt" in exchange else {}
                where = f"{shown}:{getattr(node, 'lineno', 1)}"
                yield RawRow({**exchange, **asked, "module": module, "function": name}, where)


def decoded(code: bytes) -> str:
    """Source text in the encoding that its first lines declare."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(code).readline)
    return code.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def functions(node: ast.AST, above: str = "") -> Iterator[tuple[str, Function]]:
    """The functions and methods below a node with their qualified names; not those inside other functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield above + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from functions(child, f"{above}{child.name}.")
        elif not isinstance(child, ast.expr):
            yield from functions(child, above)


def undocumented(function: Function, lines: list[str]) -> str:
    """A function's own source without decorators and docstring; empty when nothing but a docstring is in it."""
    head, *rest = function.body
    if not rest or not isinstance(head, ast.Expr) or head.end_lineno is None:
        return ""
    if head.lineno == function.lineno or rest[0].lineno <= head.end_lineno:
        return ""  # On one line with other code: cutting lines would cut that code.
    kept = lines[function.lineno - 1 : head.lineno - 1] + lines[head.end_lineno : function.end_lineno]
    return dedented(kept, function)


def documented(tree: ast.Module) -> Iterator[tuple[str, Function | ast.ClassDef | ast.Module]]:
    """Everything that may have a docstring, with its qualified name; the module's own is empty."""
    yield "", tree
    yield from functions(tree)
    yield from classes(tree)


def classes(node: ast.AST, above: str = "") -> Iterator[tuple[str, ast.ClassDef]]:
    """The classes below a node with their qualified names; not those inside functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield above + child.name, child
            yield from classes(child, f"{above}{child.name}.")
        elif not isinstance(child, Function | ast.expr):
            yield from classes(child, above)


def docstring(function: Function, lines: list[str]) -> dict[str, str]:
    """The code asks for its docstring."""
    code = undocumented(function, lines)
    return {"prompt": code, "completion": ast.get_docstring(function) or ""} if code else {}


def summary(node: Function | ast.ClassDef | ast.Module, lines: list[str]) -> dict[str, str]:
    """What follows a docstring's first line asks for that line, which stands alone (PEP 257)."""
    first, blank, rest = (ast.get_docstring(node) or "").partition("\n\n")
    line = " ".join(first.split())
    return {"prompt": rest.strip(), "completion": line} if blank and line and len(rest.strip()) > len(line) else {}


def body(function: Function, lines: list[str]) -> dict[str, str]:
    """Signature and docstring ask for what follows them."""
    head = function.body[0]
    if not undocumented(function, lines) or head.end_lineno is None:
        return {}
    asked, answer = lines[function.lineno - 1 : head.end_lineno], lines[head.end_lineno : function.end_lineno]
    return {"prompt": dedented(asked, function), "completion": textwrap.dedent("".join(answer)).strip("\n")}


def text(function: Function, lines: list[str]) -> dict[str, str]:
    """The function's own source."""
    return {"text": dedented(lines[function.lineno - 1 : function.end_lineno], function) + "\n"}


def dedented(lines: list[str], function: Function) -> str:
    """Lines of a function as they would stand at a file's margin."""
    margin = " " * function.col_offset
    return "".join(line.removeprefix(margin) for line in lines).rstrip()


TASKS: dict[Task, Callable[[Any, list[str]], dict[str, str]]] = {
    "docstring": docstring,
    "summary": summary,
    "body": body,
    "text": text,
}
"""How a row is made of a function, a class or a module; nothing where it has not what the task needs."""
