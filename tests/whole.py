"""A small recipe through all seven stages, and the command line called in this process."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.rows import WORDS

ROWS = 40
SEVEN = ("mask", "tokens", "packing", "accumulation", "resume", "merge", "export")
FOLDERS = ["1-prepare", "2-load", "3-setup", "4-tune", "5-evaluate", "6-deploy", "7-monitor"]


def write_rows(path: Path, count: int = ROWS) -> Path:
    """Questions and answers, one JSON object a line."""
    rows = [
        {"prompt": f"say {number}: the data", "completion": " ".join(WORDS[number % 5 : number % 5 + 2 + number % 9])}
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_recipe(folder: Path, weights: Path, **sections: dict[str, Any]) -> Path:
    """``small.yaml`` in ``folder``, over ``rows.jsonl`` in the folder of the call; ``sections`` add and replace."""
    recipe: dict[str, Any] = {
        "name": "small",
        "prepare": {"source": {"jsonl": "rows.jsonl"}, "split": {"validation": 6, "test": 6}},
        "load": {"model": str(weights)},
        "setup": {"threads": 1},
        "tune": {"steps": 6, "batch": 4, "learning_rate": 1e-2, "checkpoint_every": 2},
        "evaluate": {"rows": 4, "max_new_tokens": 8, "general_text": "none", "resamples": 1000},
        "deploy": {
            "export": ["adapter", "merged"],
            "engine": "transformers",
            "ask": 2,
            "serve": {"context": 128, "max_new_tokens": 8},
        },
        "monitor": {},
    }
    for name, fields in sections.items():
        recipe[name] = {**recipe[name], **fields}
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


@dataclass
class Called:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which has to be one JSON object and nothing else."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


def sevenfold(*words: str | Path) -> Called:
    """Call the command as the script does, in this process."""
    from sevenfold import cli

    before, sys.argv = sys.argv, ["sevenfold", *map(str, words)]
    code: Any = 0
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            cli.main()
        except SystemExit as leave:
            code = leave.code
        finally:
            sys.argv = before
    return Called(int(code or 0), out.getvalue(), err.getvalue())


def record(run: Path) -> dict[str, Any]:
    """The stages in a run's record."""
    return json.loads((run / "record.json").read_text())["stages"]
