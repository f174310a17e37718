"""All rounds of a cross-validation, one behind the other, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sevenfold.compare import figures
from sevenfold.compare.process import Failure
from sevenfold.compare.share import lend
from sevenfold.console import Console
from sevenfold.errors import TrainingError
from sevenfold.folds import page, told
from sevenfold.folds.way import Way, check_number
from sevenfold.pipeline import Run, stage_named
from sevenfold.recipe import Recipe
from sevenfold.record import Record

LIMIT = 100
"""Trainings of a leave-one-out, unless more are asked for."""
DONE = ("prepare", "load", "tune", "evaluate")
"""The stages whose results a round is made of."""


@dataclass
class Work:
    """A cross-validation in its folder.

    Args:
        name: The recipe's name.
        way: How the rows are cut.
        recipe_of: The recipe with some settings, as ``--set`` takes them.
        runs: The folder that holds all runs.
        rows: Held-out rows of each round to score at most; None: all.
        limit: Trainings of a leave-one-out at most.
        console: Where progress goes.
        force: Go on when a proof fails.
    """

    name: str
    way: Way
    recipe_of: Callable[[list[str]], Recipe]
    runs: Path = Path("runs")
    rows: int | None = None
    limit: int = LIMIT
    console: Console = field(default_factory=Console)
    force: bool = False

    def __post_init__(self) -> None:
        self.folder = self.runs / f"{self.name}-{self.way.label}"
        self.failures: dict[int, Failure] = {}

    def run(self) -> dict[str, Any]:
        """Run what is not done yet; gives the whole, which is in ``folds.json`` too.

        Raises:
            SevenfoldError: The recipe, the data or the machine has to be mended; a training that went wrong is kept
                as its fold's outcome, unless all did.
            Interrupted: The user stopped it; the same command goes on.
        """
        with Record(self.folder).locked():
            rounds = self.rounds()
            for number in range(1, rounds + 1):
                self.round(number, rounds)
            done = [number for number in range(1, rounds + 1) if number not in self.failures]
            if not done:
                raise self.failures[1].error("no fold could be trained; the first: ")
            return self.tell(done)

    def rounds(self) -> int:
        """How many there are: what the first one's prepared rows say.

        Raises:
            RecipeError: There are too many.
        """
        first = self.opened(1)
        first.up_to("prepare", report=False)
        found = int(first.dataset.report()["split"]["rounds"])
        if self.way.kind == "leave_out":
            check_number(self.way, found, self.limit, self.folder)
        return found

    def opened(self, number: int) -> Run:
        """A round's run."""
        recipe = self.recipe_of(self.way.settings(number, self.rows))
        recipe = recipe.model_copy(update={"name": self.way.name(number)})
        return Run(recipe, self.folder, self.console, self.force, proved=number == 1)

    def round(self, number: int, rounds: int) -> None:
        """One training and its evaluation; what is done is reused."""
        run = self.opened(number)
        if is_done(run):
            self.console.say(f"{self.way.name(number)}: done before, reused", style="dim")
            return
        self.console.heading(f"{self.way.name(number)} of {rounds}")
        lend(run, [self.folder / self.way.name(one) for one in range(1, number)])
        try:
            run.up_to("evaluate")
        except TrainingError as error:
            self.failures[number] = Failure.of(error.as_json())
            self.console.warn(f"{self.way.name(number)}: {error.problem}")

    def tell(self, done: list[int]) -> dict[str, Any]:
        """Everything that is known, written as ``folds.json`` and as the page."""
        folds = [self.told(number) for number in done]
        rows = {fold["name"]: figures.rows(self.folder / fold["name"]) for fold in folds}
        recipe = self.recipe_of(self.way.settings(done[0], self.rows))
        failures = {self.way.name(number): failure.as_json() for number, failure in self.failures.items()}
        made = told.whole(self.name, self.folder, self.way, recipe, folds, rows, failures)
        page.write(made, self.folder)
        return made

    def told(self, number: int) -> dict[str, Any]:
        """One round's figures."""
        folder = self.folder / self.way.name(number)
        counts = figures.result(Record.open(folder), "prepare")["counts"]
        report = figures.result(Record.open(folder), "evaluate")
        return {
            "name": self.way.name(number),
            "train": counts["train"],
            "left_out": report["left_out"],
            **figures.of_run(folder),
        }


def is_done(run: Run) -> bool:
    """Whether a round has nothing left to do."""
    return all(run.is_done(stage_named(name)) for name in DONE)
