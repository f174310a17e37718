"""Names to tasks with their rows: what can be asked here, and for the rest the reason and the next step.

Rows come from the task's own files, from Hugging Face's cache, or from its hub where that answers within seconds. No
code of a data set or of a metric is fetched or run: data sets with a loading script are refused by datasets itself,
and metrics of the package evaluate are only taken from the cache. This file imports lm-eval, which is an extra.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lm_eval.tasks import TaskManager

from sevenfold.errors import DataError, SevenfoldError
from sevenfold.evaluate.benchmarks.known import (
    OWN,
    benchmarks,
    folder_of_lm_eval,
    task_files,
    task_names,
    tasks_of,
)
from sevenfold.evaluate.benchmarks.surroundings import known_metrics, offline, own_draws, reachable, silence

if TYPE_CHECKING:
    from lm_eval.api.group import Group
    from lm_eval.api.task import Task

RUNS_CODE = "it runs what the model writes"
LISTED = 4
"""Data sets and packages that a reason names; more are counted."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A task that is not asked.

    Args:
        name: What the recipe calls it.
        reason: Why.
        next_step: What would bring it.
    """

    name: str
    reason: str
    next_step: str


@dataclass
class Part:
    """What a name of the recipe stands for: lm-eval's tasks, and its groups of them."""

    tasks: dict[str, Task] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)


@dataclass
class Loaded:
    """What can be asked.

    Args:
        parts: The recipe's names that can.
        missing: The rest.
        scored: Those that a model has been asked.
    """

    parts: dict[str, Part] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    scored: set[str] = field(default_factory=set)

    def drop(self, name: str, error: Exception) -> None:
        """Leave out a benchmark that cannot be asked or scored.

        Raises:
            DataError: Another model was asked it already, so that the two would not have done the same.
        """
        if name in self.scored:
            raise DataError(
                f"the benchmark {name} could be scored for one model and not for the other: {words(error)}",
                next_step=f"leave {name} out of evaluate.checks.benchmarks",
            ) from error
        del self.parts[name]
        self.missing.append(
            Missing(name, f"it cannot be asked or scored: {words(error)}", getattr(error, "next_step", None) or "")
        )


@dataclass(frozen=True, slots=True)
class Leaf:
    """A task before it is opened: its file, read and not run.

    Args:
        config: What the file says, functions unresolved.
        folder: Where the file lies; None where it is written inside of a group's.
    """

    config: dict[str, Any]
    folder: Path | None

    @property
    def rows(self) -> str:
        """The data set's name, or its format."""
        return str(self.config.get("dataset_path") or "")

    @property
    def files(self) -> list[str]:
        """The files with its rows."""
        return [str(file) for file in flat((self.config.get("dataset_kwargs") or {}).get("data_files"))]

    @property
    def of_hub(self) -> bool:
        """Whether its rows are a data set of the hub."""
        # A task that is a class says only when it is built where its rows are from.
        return "class" in self.config or bool(self.rows and not self.files and not Path(self.rows).exists())

    @property
    def runs_code(self) -> bool:
        """Whether it runs what a model writes."""
        return bool(self.config.get("unsafe_code"))

    @property
    def lies_beside(self) -> bool:
        """Whether it names files that lie beside it."""
        return self.folder is not None and any(
            not Path(file).is_absolute() and (self.folder / file).is_file() for file in self.files
        )


@dataclass(frozen=True)
class Loader:
    """Finds tasks and opens their rows.

    Args:
        include: A user's folder of task files; its functions are the user's own and are run.
        run_code: Tasks that may run what a model writes.
        download: Whether rows may be fetched from the hub.
    """

    include: Path | None
    run_code: Sequence[str]
    download: bool

    def load(self, names: Sequence[str]) -> Loaded:
        """Every task that is there, and the reason for each that is not."""
        found = Loaded()
        for name in names:
            outcomes = {one: self.one(name, one) for one in tasks_of(name)}
            there = [outcome for outcome in outcomes.values() if isinstance(outcome, Part)]
            if there:
                found.parts[name] = Part(
                    {key: task for part in there for key, task in part.tasks.items()},
                    {key: group for part in there for key, group in part.groups.items()},
                )
            found.missing += told(name, {one: why for one, why in outcomes.items() if isinstance(why, Missing)})
        return found

    def one(self, asked: str, name: str) -> Part | Missing:
        """The tasks behind one of lm-eval's names, or why there are none."""
        manager = manager_of(name, self.include)
        leaves = leaves_of(manager, name)
        if not {asked, name} & set(self.run_code) and any(leaf.runs_code for leaf in leaves):
            return Missing(asked, RUNS_CODE, f"run_code: [{asked}] lets it, with your user's rights and no sandbox")
        try:
            with own_draws(), silence(), known_metrics(), self.network(leaves), beside(leaves):
                loaded = manager.load([name])
        except Exception as error:  # noqa: BLE001 - tasks are of many hands: whatever one raises, the others are asked
            return missing(asked, leaves, error, self.download)
        return Part(dict(loaded["tasks"]), dict(loaded.get("groups", {})))

    def network(self, leaves: Sequence[Leaf]) -> contextlib.AbstractContextManager[None]:
        """The hub where it is wanted and answers; what is on the machine alone where not."""
        wanted = self.download and any(leaf.of_hub for leaf in leaves)
        return contextlib.nullcontext() if wanted and reachable() else offline()


def told(name: str, outcomes: Mapping[str, Missing]) -> Iterator[Missing]:
    """What is missing of a benchmark, once for each reason; the tasks are named where it is not all of them."""
    tasks = tasks_of(name)
    if not tasks:
        yield Missing(name, "lm-eval does not have it", benchmarks()[name].instead)
    for why in dict.fromkeys(outcomes.values()):
        alike = [one for one, other in outcomes.items() if other == why]
        yield why if len(alike) == len(tasks) else replace(why, name=f"{name} ({', '.join(alike)})")


@cache
def manager_of(name: str, include: Path | None) -> TaskManager:
    """Who knows a task and all that it names: an index of few folders, which takes no time, or of all."""
    own = [OWN, *([include] if include else [])]
    theirs = folder_of_lm_eval()
    file = task_files(theirs).get(name) if theirs else None
    with silence():
        if any(name in task_names(folder) for folder in own):
            found = TaskManager(include_path=list(own), include_defaults=False)
        elif theirs and file:
            first = theirs / file.relative_to(theirs).parts[0]
            found = TaskManager(include_path=[first, *own], include_defaults=False)
        else:
            return everything(tuple(own))
        return found if knows(found, name) else everything(tuple(own))


@cache
def everything(folders: tuple[Path, ...]) -> TaskManager:
    """The index of all tasks, which takes seconds to make."""
    return TaskManager(include_path=list(folders))


def knows(manager: TaskManager, name: str) -> bool:
    """Whether an index has a name, and all names of the group or tag that it is."""
    entry = manager.task_index.get(name)
    if entry is None:
        return False
    inner = (entry.cfg or {}).get("task") if entry.kind.name == "GROUP" else None
    # A tag's tasks may lie in other folders: only the whole index knows them all.
    return entry.kind.name != "TAG" and all(
        knows(manager, str(one if isinstance(one, str) else one.get("task") or one.get("group")))
        for one in (inner if isinstance(inner, list) else ())
    )


def leaves_of(manager: TaskManager, name: str) -> list[Leaf]:
    """The tasks behind a name."""
    entry = manager.task_index.get(name)
    if entry is None:
        return []
    config = entry.cfg or {}
    inner = sorted(entry.tags) if entry.kind.name == "TAG" else config.get("task")
    if not isinstance(inner, list):
        return [Leaf(config, Path(entry.yaml_path).parent if entry.yaml_path else None)]
    found = []
    for one in inner:
        if isinstance(one, str):
            found += leaves_of(manager, one) if one != name else []
        else:
            found += leaves_of(manager, str(one.get("task") or one.get("group"))) or [Leaf(one, None)]
    return found


def beside(leaves: Sequence[Leaf]) -> contextlib.AbstractContextManager[None]:
    """The task file's folder as the working folder where the file names rows that lie beside it."""
    folder = next((leaf.folder for leaf in leaves if leaf.folder and leaf.lies_beside), None)
    return contextlib.chdir(folder) if folder else contextlib.nullcontext()


def flat(files: object) -> Iterator[object]:
    """The files of ``data_files``, which is a text, a list, or a mapping of splits to either."""
    if isinstance(files, dict):
        files = list(files.values())
    if isinstance(files, list):
        for one in files:
            yield from flat(one)
    elif files:
        yield files


def missing(name: str, leaves: Sequence[Leaf], error: Exception, download: bool) -> Missing:
    """Why a task cannot be asked, and what would bring it."""
    known = benchmarks().get(name)
    sets = list(dict.fromkeys(leaf.rows for leaf in leaves if leaf.rows))
    if isinstance(error, ImportError):
        needs = known.needs if known and known.needs else f"pip install {error.name or 'it'}"
        return Missing(name, f"a package is not installed: {words(error)}", needs)
    if isinstance(error, OSError) and any(leaf.of_hub for leaf in leaves):
        return Missing(name, *not_here(sets or [known.data if known else name], download))
    if isinstance(error, OSError):
        files = list(dict.fromkeys(file for leaf in leaves for file in leaf.files))
        return Missing(name, words(error), f"put {listed(files or sets)} beside the task file")
    return Missing(name, f"lm-eval cannot open it: {words(error)}", known.needs if known else "")


def words(error: Exception) -> str:
    """An error in a line."""
    said = str(error).strip().split("\n")[0][:300]
    return said if isinstance(error, SevenfoldError | OSError) and said else f"{type(error).__name__}: {said}"


def not_here(sets: Sequence[str], download: bool) -> tuple[str, str]:
    """The reason and the next step where rows are neither on the machine nor reachable."""
    import datasets
    from huggingface_hub import constants

    if not download:
        why = "and download: false"
    elif constants.HF_HUB_OFFLINE:
        why = "and HF_HUB_OFFLINE is set"
    else:
        why = f"and {constants.ENDPOINT} does not answer" if not reachable() else "and the hub does not give them"
    places = f"{datasets.config.HF_DATASETS_CACHE} and {constants.HF_HUB_CACHE}"
    return (
        f"its rows ({listed(sets)}) are not on this machine (looked in {places}), {why}",
        f"with a network: hf download --repo-type dataset {sets[0]}, then copy {constants.HF_HUB_CACHE} here, "
        "or write a task file of the same questions with dataset_path: json and your files, and name its folder in "
        "include",
    )


def listed(names: Sequence[str]) -> str:
    """Some names in a sentence."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
