"""Runs the stages in order and reuses what is already done; it and the command line alone know all stages."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sevenfold.console import Console
from sevenfold.errors import SevenfoldError
from sevenfold.recipe import Recipe
from sevenfold.record import (
    RESULT_FILE,
    Entry,
    Record,
    Result,
    StageRecord,
    code_digest,
    digest,
    history,
    set_aside,
    write_json,
    write_text,
)

if TYPE_CHECKING:
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.prove.proof import Proof
    from sevenfold.setup.environment import Environment

STAGE_FILE = "stage.json"
ROOMS = ("chat", "generate")
"""Shared rooms whose code is part of every stage's identity."""


@dataclass(frozen=True)
class Stage:
    """One of the seven.

    Args:
        name: Its command, section, package and function.
        result: The module and class of what it gives.
        needs: The stages whose results it takes, in the order of its function's arguments.
        fresh: It looks at the machine, or at traffic, as it is now, so it runs every time and is never reused.
    """

    name: str
    result: str
    needs: tuple[str, ...] = ()
    fresh: bool = False

    @property
    def number(self) -> int:
        """Its place, from 1."""
        return STAGES.index(self) + 1

    def folder(self, run: Path) -> Path:
        """Its folder in a run."""
        return run / f"{self.number}-{self.name}"

    def open(self, run: Path) -> Result:
        """Its result as it lies in a run."""
        module, kind = self.result.split(":")
        result: Result = getattr(importlib.import_module(module), kind).open(self.folder(run))
        return result

    def call(self, section: Any, inputs: Sequence[Result], entry: Entry) -> Result:
        """Run its one function."""
        function = getattr(importlib.import_module(f"sevenfold.{self.name}.stage"), self.name)
        result: Result = function(section, *inputs, entry)
        return result


STAGES = (
    Stage("prepare", "sevenfold.prepare.dataset:Dataset"),
    Stage("load", "sevenfold.load.model:Model"),
    Stage("setup", "sevenfold.setup.environment:Environment", fresh=True),
    Stage("tune", "sevenfold.tune.tuned:Tuned", ("prepare", "load", "setup")),
    Stage("evaluate", "sevenfold.evaluate.report:Report", ("prepare", "load", "setup", "tune")),
    Stage("deploy", "sevenfold.deploy.service:Service", ("prepare", "load", "setup", "tune")),
    Stage("monitor", "sevenfold.monitor.observations:Observations", ("prepare", "deploy"), fresh=True),
)
NAMES = tuple(stage.name for stage in STAGES)


def stage_named(name: str) -> Stage:
    """The stage of a name in :data:`NAMES`."""
    return STAGES[NAMES.index(name)]


@dataclass
class Run:
    """A recipe at work in its folder.

    Args:
        recipe: What to do.
        runs: The folder that holds all runs.
        console: Where progress goes.
        force: Go on when a proof fails; the record keeps that it was overridden.
    """

    recipe: Recipe
    runs: Path = Path("runs")
    console: Console = field(default_factory=Console)
    force: bool = False

    def __post_init__(self) -> None:
        self.record = Record(self.runs / self.recipe.name)
        self.identities: dict[str, str] = {}
        self.results: dict[str, Result] = {}

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.record.folder

    @property
    def dataset(self) -> Dataset:
        """What ``prepare`` gave in this process."""
        return cast("Dataset", self.results["prepare"])

    @property
    def model(self) -> Model:
        """What ``load`` gave in this process."""
        return cast("Model", self.results["load"])

    @property
    def environment(self) -> Environment:
        """What ``setup`` gave in this process."""
        return cast("Environment", self.results["setup"])

    def up_to(self, last: str, report: bool = True) -> Record:
        """Run the stages up to ``last`` and write the report.

        Args:
            last: A name of :data:`NAMES`.
            report: Whether to write the report page as well.

        Returns:
            The run's record.
        """
        with self.record.locked():
            for stage in STAGES[: stage_named(last).number]:
                self.results[stage.name] = self.reuse(stage) or self.work(stage)
            write_text(self.folder / "recipe.yaml", self.recipe.to_yaml())
            if report:
                self.write_report()
        return self.record

    def write_report(self) -> None:
        """Write the page that answers: did it get better, what did it cost, what next."""
        from sevenfold.report import page

        page.write(self.record, self.recipe)
        self.console.say(f"\nreport: {self.folder / 'report.html'}")

    def prove(self) -> list[Proof]:
        """Run every proof that the stages done so far allow; the first stages run when they have to."""
        from sevenfold.prove import proofs

        self.up_to("setup", report=False)
        for stage in STAGES[3:]:
            if self.is_done(stage):
                self.results[stage.name] = stage.open(self.folder)
        case = proofs.case_of(self.results, self.recipe, Entry(self.folder))
        return [proofs.run(name, case) for name in proofs.possible(set(self.results))]

    def identity(self, stage: Stage) -> str:
        """The hash of everything that the stage's result depends on."""
        if stage.name not in self.identities:
            section = self.recipe.section(stage.name)
            self.identities[stage.name] = digest(
                {
                    "section": section.model_dump(mode="json"),
                    "outside": section.outside(),
                    "parents": [self.identity(stage_named(need)) for need in stage.needs],
                    "code": code_digest(stage.name, *ROOMS),
                }
            )
        return self.identities[stage.name]

    def reuse(self, stage: Stage) -> Result | None:
        """The stage's result if it is already there with the identity it would have now."""
        if stage.fresh:
            return None
        folder, identity = stage.folder(self.folder), self.identity(stage)
        kept = self.record.stages.get(stage.name)
        if kept and kept.identity != identity and history(folder, identity).exists():
            set_aside(folder, kept.identity)
            history(folder, identity).rename(folder)
            self.record.stages[stage.name] = StageRecord.model_validate_json(
                (folder / STAGE_FILE).read_text(encoding="utf-8")
            )
            self.record.write()
        if self.is_done(stage):
            self.console.say(f"{stage.number} {stage.name}: done before, reused", style="dim")
            return stage.open(self.folder)
        return None

    def is_done(self, stage: Stage) -> bool:
        """Whether the stage's result is there, whole, with the identity it would have now."""
        kept = self.record.stages.get(stage.name)
        whole = kept is not None and kept.state == "done" and (stage.folder(self.folder) / RESULT_FILE).exists()
        return whole and kept is not None and kept.identity == self.identity(stage)

    def work(self, stage: Stage) -> Result:
        """Run a stage, with the proofs that belong before and behind it."""
        from sevenfold.prove import proofs

        folder, identity = stage.folder(self.folder), self.identity(stage)
        before = self.record.stages.get(stage.name)
        if before and before.identity != identity and not stage.fresh:
            aside = set_aside(folder, before.identity)
            if aside:
                self.console.say(f"  the earlier {stage.name} (another recipe, data or code) is kept in {aside}")
        folder.mkdir(parents=True, exist_ok=True)
        self.console.heading(f"{stage.number} {stage.name}")
        kept = StageRecord(
            name=stage.name,
            identity=identity,
            parents={need: self.identity(stage_named(need)) for need in stage.needs},
            section=self.recipe.section(stage.name).model_dump(mode="json"),
            origins=self.recipe.origins(stage.name),
        )
        inputs = [self.results[need] for need in stage.needs]
        with self.record.stage(kept, folder, self.console) as entry:
            proofs.before(stage.name, self.results, self.recipe, entry, self.force)
            result = stage.call(self.recipe.section(stage.name), inputs, entry)
            proofs.after(stage.name, {**self.results, stage.name: result}, self.recipe, entry, self.force)
        # Beside the result, so that a superseded result can come back with its record.
        write_json(folder / STAGE_FILE, kept.model_dump())
        return result


def run(recipe: Recipe | str | Path, upto: str = "monitor", runs: Path = Path("runs"), force: bool = False) -> Record:
    """Run a recipe: the Python form of ``sevenfold run``.

    Args:
        recipe: A recipe or the path of one.
        upto: The last stage to run.
        runs: The folder that holds all runs.
        force: Go on when a proof fails.

    Returns:
        The run's record.

    Raises:
        SevenfoldError: Something in the recipe, the data or the machine has to be mended first.
    """
    if upto not in NAMES:
        raise SevenfoldError(f"there is no stage {upto!r}", value=upto, alternatives=NAMES)
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.from_file(recipe)
    return Run(recipe, runs, force=force).up_to(upto)
