"""General rows, and rows in groups."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from sevenfold.prepare.dataset import Dataset, Row
from tests import rows

TEXTS = ["people watch the model and it writes answers", "the data", "it learn while the model reads"]


def write(path: Path, count: int = 6) -> Path:
    """A file of general rows: conversations and text, in turns."""
    lines = []
    for number in range(count):
        messages = [
            {"role": "user", "content": f"again {number}"},
            {"role": "assistant", "content": " ".join(rows.WORDS[: 2 + number])},
        ]
        lines.append({"messages": messages} if number % 2 else {"text": TEXTS[number % 3]})
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def grouped(folder: Path) -> Dataset:
    """The suite's dataset; one row of four is of the group ``few``."""
    made = rows.make_dataset(folder)
    for split in ("train", "validation", "test"):
        found = [
            replace(row, fields={"group": "few" if number % 4 == 0 else "many"})
            for number, row in enumerate(made.rows(split))
        ]
        rows.write_split(made, split, found)
    return made


def row(number: int, **fields: str) -> Row:
    """A row."""
    return Row(rows.conversation(number), f"made:{number}", fields)
