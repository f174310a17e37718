"""The fenced blocks of the documents: files to write, commands to run, Python to execute, what must be printed.

A block with a title is a file; the title ``exit code N`` belongs to what the commands above it must print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One fenced block; ``line`` is that of its fence."""

    language: str
    title: str
    text: str
    place: str

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, comments and blank lines left out."""
        lines = re.sub(r"\\\n\s*", "", self.text).splitlines()
        return [line for line in lines if line.strip() and not line.startswith("#")]

    @property
    def exit_code(self) -> int | None:
        """The exit code that the commands above must end with, if the block says so."""
        found = re.fullmatch(r"exit code (\d+)", self.title)
        return int(found[1]) if found else None

    @property
    def is_file(self) -> bool:
        """Whether the block is a file."""
        return bool(self.title) and self.exit_code is None


def read(path: Path) -> list[Block]:
    """The blocks of a document, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(
            found[1], found[2] or "", found[3], f"{path.relative_to(ROOT)}:{text[: found.start()].count(chr(10)) + 1}"
        )
        for found in FENCE.finditer(text)
    ]


def named(name: str) -> Path:
    """A document by its path below the root."""
    return ROOT / name
