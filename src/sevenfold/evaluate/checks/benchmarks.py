"""Benchmarks by name, through lm-eval: base and tuned model on the same documents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sevenfold.errors import DataError, MachineError
from sevenfold.evaluate.benchmarks import known
from sevenfold.evaluate.benchmarks.results import HEAD, Benchmarked, as_benchmarked, at_chance, figures_of, lines
from sevenfold.evaluate.checks import Check
from sevenfold.evaluate.examined import Checked, Examined, Figure, Weighing, compared
from sevenfold.findings import Table
from sevenfold.record import file_digest

if TYPE_CHECKING:
    from sevenfold.evaluate.benchmarks.tasks import Loaded
    from sevenfold.evaluate.subject import Subject

READ = (".yaml", ".py", ".json", ".jsonl", ".csv", ".tsv", ".txt", ".parquet", ".arrow")
"""Endings of task files, their functions and their rows."""


class Benchmarks(Check):
    """Public benchmarks, those that come along, and task files of your own in lm-eval's format."""

    title: ClassVar[str] = "Benchmarks"
    main: ClassVar[str | None] = "tasks"

    tasks: list[str] = Field(default_factory=list, description="Names: of the table, of lm-eval, of `include`'s tasks.")
    suite: Literal["general", "code", "retrieval", "translation", "persian"] | None = Field(
        None, description="All benchmarks of an intended use, beside `tasks`."
    )
    include: str | None = Field(
        None, description="A folder with task files of your own; what their `!function` names is run, as your own code."
    )
    limit: int | None = Field(100, ge=1, description="Documents of each task, the first ones; null: all.")
    shots: int | None = Field(
        None,
        ge=0,
        description="Examples before each question. Not given: as the task says; a task that says 0 keeps it.",
    )
    chat: bool = Field(False, description="Ask in the model's chat template, examples as earlier turns.")
    run_code: list[str] = Field(
        default_factory=list, description="Tasks that may run what the model writes, with your rights and no sandbox."
    )
    download: bool = Field(True, description="Fetch rows that are not on this machine from the hub, where it answers.")

    @model_validator(mode="after")
    def names_are_known(self) -> Self:
        """Refuse an unknown name before anything is trained."""
        if not self.names:
            raise ValueError("name tasks, or a suite")
        folder = self.folder
        if folder and not folder.is_dir():
            raise ValueError(f"include: there is no folder {str(folder)!r}")
        known.check([*self.names, *self.run_code], folder)
        return self

    @property
    def names(self) -> list[str]:
        """What is asked."""
        return known.chosen(self.suite, self.tasks)

    @property
    def folder(self) -> Path | None:
        """The user's own task files."""
        return Path(self.include).expanduser().resolve() if self.include else None

    def figures(self) -> Sequence[Figure]:
        """None before the tasks are open: what they measure, they say themselves."""
        return ()

    def fingerprints(self) -> dict[str, str]:
        """The user's task files and rows, and those that come along."""
        folders = [known.OWN, *([self.folder] if self.folder else [])]
        paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in READ]
        return {str(path): file_digest(path) for path in paths}

    @cached_property
    def loaded(self) -> Loaded:
        """The tasks with their rows, opened once for both models.

        Raises:
            MachineError: lm-eval is not installed.
        """
        try:
            from sevenfold.evaluate.benchmarks.tasks import Loader
        except ImportError as error:
            raise MachineError(
                f"the check benchmarks needs the package {error.name}",
                next_step="pip install 'sevenfold[benchmarks]'",
            ) from None
        return Loader(self.folder, self.run_code, self.download).load(self.names)

    def something_left(self) -> None:
        """Refuse to find nothing.

        Raises:
            DataError: Not one of the benchmarks can be asked.
        """
        if self.loaded.parts:
            return
        missing = self.loaded.missing
        raise DataError(
            f"none of the benchmarks can be asked here: {'; '.join(f'{one.name}: {one.reason}' for one in missing)}",
            where="evaluate.checks.benchmarks",
            expected="rows on this machine, or a hub that answers; some sets come along",
            alternatives=[name for name in known.benchmarks() if name in known.task_names(known.OWN)],
            next_step=missing[0].next_step or None,
        )

    def examine(self, subject: Subject) -> Examined:
        """Ask one model."""
        loaded = self.loaded
        self.something_left()
        from sevenfold.evaluate.benchmarks.adapter import EngineLM
        from sevenfold.evaluate.benchmarks.ask import ask

        lm, found = EngineLM(subject), Benchmarked()
        if subject.engine.tasks:
            found.notes.append(
                f"{subject.name}: of several adapters, the one that answers where nobody says which was asked"
            )
        for name, part in list(loaded.parts.items()):
            try:
                found.add(ask(lm, name, part, self.limit, self.shots, self.chat))
            except Exception as error:
                if lm.failed:
                    raise
                loaded.drop(name, error)
        loaded.scored.update(loaded.parts)
        self.something_left()
        if lm.cut:
            found.notes.append(f"{subject.name}: the beginning of {lm.cut} requests was cut to fit the context")
        if lm.without_system:
            found.notes.append(
                f"{subject.name}: the chat template took {lm.without_system} prompts without their system message"
            )
        return found

    def findings(self, base: Examined, tuned: Examined, weighing: Weighing) -> Checked:
        """Every benchmark document by document, the tasks' own figures, and what was not asked."""
        sides = as_benchmarked(base), as_benchmarked(tuned)
        missing = self.loaded.missing
        found = compared(self.title, [*figures_of(*sides)], base, tuned, weighing)
        found.tables.append(Table("The tasks' own figures", HEAD, [*lines(sides[0].scores, sides[1].scores)]))
        if missing:
            found.said = f"{found.said[:-1]}; not asked: {', '.join({one.name: None for one in missing})}."
            rows = [(one.name, one.reason, one.next_step) for one in missing]
            found.tables.append(Table("Not asked", ("benchmark", "why", "what would bring it"), rows))
        found.advice += [*at_chance(sides[0].scores, sides[1].scores), *sides[0].notes, *sides[1].notes]
        found.more = {
            "versions": {score.task: score.version for score in sides[0].scores},
            "not_asked": {one.name: one.reason for one in missing},
        }
        return found
