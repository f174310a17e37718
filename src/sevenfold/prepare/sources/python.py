"""Python code: a function without its docstring asks for it, the docstring answers."""

from __future__ import annotations

import ast
import io
import sys
import sysconfig
import tokenize
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from sevenfold.errors import DataError
from sevenfold.prepare.sources import FileSource, RawRow, Reading
from sevenfold.record import digest

Function = ast.FunctionDef | ast.AsyncFunctionDef
SKIPPED = frozenset({"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "__pycache__"})
"""Folders of the standard library that hold no code worth learning from."""


class Python(FileSource):
    """Documented functions of Python code; ``stdlib`` is the standard library of the running Python.

    Columns: ``prompt``, ``completion``, ``module`` (to keep a module on one side of a split), ``function``.
    """

    suffixes = (".py",)
    path: str = Field(description="A package's folder, a file, a glob, or stdlib.")
    ask: str = Field(
        "Write the docstring of this Python function.", description="What the user asks, above the function's code."
    )
    shortest: int = Field(40, ge=1, description="Docstrings of fewer characters are no rows.")

    @property
    def root(self) -> Path:
        """The folder that module names start at."""
        if self.path == "stdlib":
            return Path(sysconfig.get_paths()["stdlib"])
        path = Path(self.path).expanduser()
        return path if path.is_dir() else path.parent

    def files(self) -> list[Path]:
        """The Python files; of the standard library without its tests and bundled tools."""
        if self.path != "stdlib":
            return super().files()
        root = self.root
        return sorted(file for file in root.rglob("*.py") if SKIPPED.isdisjoint(file.relative_to(root).parts))

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

    def read(self, file: Path, reading: Reading) -> Iterator[RawRow]:
        """The documented functions of one file.

        Raises:
            DataError: The file does not parse.
        """
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
        for name, function in functions(tree):
            answer = ast.get_docstring(function) or ""
            question = undocumented(function, lines)
            if question and len(answer) >= self.shortest:
                row = {"prompt": f"{self.ask}\n\n{question}", "completion": answer}
                yield RawRow({**row, "module": module, "function": name}, f"{shown}:{function.lineno}")


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
    margin = " " * function.col_offset
    return "".join(line.removeprefix(margin) for line in kept).rstrip()
