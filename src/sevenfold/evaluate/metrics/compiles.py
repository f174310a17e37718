"""Whether the answer is Python."""

from __future__ import annotations

import ast
import textwrap
import warnings
from typing import ClassVar

from sevenfold.evaluate.metrics import AnswerMetric, Better


class Compiles(AnswerMetric):
    """Share of answers that are Python, as a module or as a function's body; 0 to 1, higher is better.

    An answer is parsed and never run: ``ast.parse`` of its text, or of its text inside of a function, where ``return``,
    ``yield`` and ``await`` have a meaning. An empty answer is none. It says nothing of what the code does.
    """

    better: ClassVar[Better] = "higher"
    unit: ClassVar[str] = "share of rows"
    high: ClassVar[float] = 1.0
    binary: ClassVar[bool] = True

    def value(self, answer: str, reference: str) -> float:
        """1.0 when it is Python, else 0.0."""
        text = textwrap.dedent(answer).strip("\n")
        return float(bool(text.strip()) and (parses(text) or parses(inside(text))))


def inside(text: str) -> str:
    """The text as the body of a function."""
    return "async def function():\n" + textwrap.indent(text, "    ") + "\n"


def parses(code: str) -> bool:
    """Whether the running Python reads it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "answer", "exec", flags=ast.PyCF_ONLY_AST)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
