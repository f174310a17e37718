"""A folder in which the documents are followed word for word, with a tiny model where they name a real one.

The tiny tokenizer has no GGUF form, so recipes get other exports and another engine; nothing else is changed.
"""

from __future__ import annotations

import contextlib
import io
import os
import runpy
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sevenfold import cli
from tests.docs.blocks import Block

MODEL = "smollm2-135m"
SMALL = {"rows": 8, "max_new_tokens": 8, "resamples": 1000}
"""Settings of evaluate that only make the figures coarser."""


@dataclass(frozen=True)
class Outcome:
    """What a command gave."""

    code: int
    out: str
    err: str


@dataclass
class Workplace:
    """Writes files and runs commands in a folder."""

    folder: Path
    model: Path
    ran: list[str] = field(default_factory=list)

    def write(self, block: Block) -> None:
        """Write a block that is a file; a recipe is given the tiny model."""
        text = block.text
        if block.language == "yaml" and "prepare" in yaml.safe_load(text):
            text = yaml.safe_dump(self.shrunk(yaml.safe_load(text)), sort_keys=False)
        (self.folder / block.title).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / block.title).write_text(text, encoding="utf-8")

    def shrunk(self, recipe: dict[str, Any]) -> dict[str, Any]:
        """A recipe on the tiny model."""
        recipe["load"] = {**recipe.get("load", {}), "model": str(self.model)}
        recipe["setup"] = {**recipe.get("setup", {}), "threads": 1}
        recipe["prepare"] = {**recipe["prepare"], "limit": 40}
        recipe["evaluate"] = {**recipe.get("evaluate", {}), **SMALL}
        recipe["deploy"] = {**recipe.get("deploy", {}), "export": ["adapter", "merged"], "engine": "transformers"}
        recipe["deploy"] |= {"ask": 1}
        recipe["monitor"] = {"checks": [{"drift": {"trials": 2}}, "errors", "latency", "length", "repetition"]}
        return recipe

    def run(self, command: str) -> Outcome:
        """Run a ``sevenfold`` or ``python FILE`` command in this process, as the shell would."""
        line, _, target = command.partition(" > ")
        words = shlex.split(line, comments=True)
        self.ran.append(" ".join(words))
        out, err = io.StringIO(), io.StringIO()
        with self.inside(words), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run_python(words[1]) if words[0] == "python" else run_sevenfold()
        if target:
            (self.folder / target.strip()).write_text(out.getvalue(), encoding="utf-8")
        return Outcome(code, out.getvalue(), err.getvalue())

    def execute(self, block: Block, *changes: tuple[str, str]) -> str:
        """Execute a Python block; gives what it printed.

        Args:
            block: The block.
            *changes: Texts to replace, such as the real model's name by the tiny one's folder.
        """
        text = block.text.replace(MODEL, str(self.model))
        for old, new in changes:
            text = text.replace(old, new)
        out = io.StringIO()
        with self.inside([block.place]), contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(text, block.place, "exec"), {"__name__": "__main__"})
        return out.getvalue()

    @contextlib.contextmanager
    def inside(self, words: list[str]):
        """This folder as the working folder, and the words as the command line."""
        before, arguments = Path.cwd(), sys.argv
        os.chdir(self.folder)
        sys.argv = words
        try:
            yield
        finally:
            sys.argv = arguments
            os.chdir(before)


def run_python(script: str) -> int:
    """Run a script."""
    runpy.run_path(script, run_name="__main__")
    return 0


def run_sevenfold() -> int:
    """Run the command line as ``sys.argv`` has it; gives its exit code."""
    try:
        cli.main()
    except SystemExit as leave:
        return int(leave.code or 0)
    return 0
