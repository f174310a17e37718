"""The benchmarks by name: what each measures, what it is for, where its rows are, what guessing reaches."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.schema import Strict

HERE = Path(__file__).parent
OWN = HERE / "own"
"""Task files and rows that come along."""
NAME = r"[\w.:+()-]{2,}"
NAMED = re.compile(r"^[\"']?(?:task|group|tag)[\"']?:[ \t]*[\"']?([\w.:+()-]+)[\"']?[ \t]*(?:#.*)?$", re.M)
LISTED = re.compile(r"^[\"']?(?:tag|group)[\"']?:[ \t]*\n((?:[ \t]*-[ \t]*[\"']?[\w.:+()-]+[\"']?[ \t]*\n?)+)", re.M)


class Benchmark(Strict):
    """A benchmark that is known by name."""

    title: str
    measures: str
    uses: list[str] = Field(alias="for")
    tasks: list[str]
    """lm-eval's names; empty where it cannot be had through it."""
    metric: str
    chance: float | None
    data: str
    """A data set's name at the hub, or where else the rows are."""
    needs: str = ""
    instead: str = ""


@cache
def benchmarks() -> dict[str, Benchmark]:
    """All that are known, by name."""
    return {name: Benchmark(**fields) for name, fields in read(HERE / "known.yaml").items()}


@cache
def suites() -> dict[str, dict[str, str]]:
    """Suite to benchmark to the reason why it is in it."""
    return read(HERE / "suites.yaml")


def read(path: Path) -> dict[str, Any]:
    """A YAML file."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def chosen(suite: str | None, names: Iterable[str]) -> list[str]:
    """The names of a suite and the others, each once."""
    return list(dict.fromkeys([*(suites()[suite] if suite else ()), *names]))


def tasks_of(name: str) -> list[str]:
    """lm-eval's names of what a recipe names: a benchmark's tasks, or a task's own name."""
    known = benchmarks().get(name)
    return [name] if known is None else known.tasks


def check(names: Iterable[str], folder: Path | None) -> None:
    """Refuse a name that is neither a benchmark's, nor a task's of the folder, nor one of lm-eval's.

    Raises:
        RecipeError: There is no such name; says the nearest ones.
    """
    own = frozenset(benchmarks()) | task_names(OWN) | (task_names(folder) if folder else frozenset())
    for name in names:
        lm_eval = frozenset() if name in own else task_names_of_lm_eval()
        if lm_eval and name not in lm_eval:
            every = own | lm_eval
            near = difflib.get_close_matches(name, every, n=5, cutoff=0.5) or sorted(benchmarks())
            raise RecipeError(
                f"there is no benchmark {name!r}",
                value=name,
                expected="a benchmark's name, a task of the folder, or one of lm-eval",
                alternatives=near,
                next_step=f"or one of the suites {', '.join(suites())}: suite: NAME",
            )


def task_names_of_lm_eval() -> frozenset[str]:
    """The names of lm-eval, none where it is not installed; it is not imported."""
    folder = folder_of_lm_eval()
    return task_names(folder) if folder else frozenset()


def folder_of_lm_eval() -> Path | None:
    """Where lm-eval's task files lie."""
    found = find_spec("lm_eval")
    return Path(found.origin).parent / "tasks" if found and found.origin else None


def task_names(folder: Path) -> frozenset[str]:
    """The names of tasks, groups and tags in a folder's task files."""
    return frozenset(task_files(folder))


@cache
def task_files(folder: Path) -> dict[str, Path]:
    """Each name's first file in a folder; read quickly, the files are not parsed."""
    found: dict[str, Path] = {}
    # Templates of task files, which may hold a tag, often have no ending.
    for path in (path for path in sorted(folder.rglob("*")) if path.suffix in ("", ".yaml") and path.is_file()):
        text = path.read_text(encoding="utf-8", errors="replace")
        names = [*NAMED.findall(text), *(name for part in LISTED.findall(text) for name in re.findall(NAME, part))]
        for name in names:
            found.setdefault(name, path)
    return found
