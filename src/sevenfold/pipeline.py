"""Runs the stages in order and reuses what is already done; it and the command line alone know all stages."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sevenfold.console import Console
from sevenfold.disk import sweep
from sevenfold.errors import RecipeError, SevenfoldError
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

TOKENS_FILE = "tokens.json"
"""In the run's folder: how the rows fit the model's tokenizer, as findings."""
STAGE_FILE = "stage.json"
"""What a stage's folder holds: written into it before the work starts, and again when it is done."""
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
        proved: Whether the proofs run beside the stages; a trial whose weights nobody keeps does without.
    """

    recipe: Recipe
    runs: Path = Path("runs")
    console: Console = field(default_factory=Console)
    force: bool = False
    proved: bool = True

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
            report: Whether to write the report page and to keep the recipe in the run as well.

        Returns:
            The run's record.
        """
        with self.record.locked():
            sweep(self.folder.glob(".*.*"))
            for stage in STAGES[: stage_named(last).number]:
                self.results[stage.name] = self.reuse(stage) or self.work(stage)
                if stage.name == "load" and report:
                    self.fit()
            if report:
                # A command that only looks leaves the run's own recipe as it is.
                write_text(self.folder / "recipe.yaml", self.recipe.to_yaml())
                self.write_report()
        return self.record

    def again(self, name: str) -> Record:
        """Run one stage on what lies in the run, whatever became of the data, the model or the code since.

        Args:
            name: A name of :data:`NAMES`.

        Returns:
            The run's record.

        Raises:
            RecipeError: A stage that it needs is not done.
        """
        stage = stage_named(name)
        with self.record.locked():
            for need in map(stage_named, stage.needs):
                kept = self.kept(need)
                if kept is None or kept.state != "done":
                    raise RecipeError(
                        f"the run {self.record.name!r} has no stage {need.name!r} yet",
                        where=str(self.folder),
                        next_step=f"sevenfold {need.name} RECIPE",
                    )
                self.identities[need.name] = kept.identity
                self.results[need.name] = need.open(self.folder)
            self.results[name] = self.work(stage)
            self.write_report()
        return self.record

    def fit(self) -> None:
        """Measure how the rows fit the tokenizer, before anything is cut; once for the same rows, model and limit.

        What is found stands in :data:`TOKENS_FILE` and in the report. Rows that cannot be made tokens are counted
        there; training, or a proof before it, is what refuses them.
        """
        from sevenfold.prepare.fit import fit

        path, tune = self.folder / TOKENS_FILE, self.recipe.tune
        parents = {name: self.identity(stage_named(name)) for name in ("prepare", "load")}
        known = {**parents, "tune": digest(tune.model_dump(mode="json", include={"objective", "max_length"}))}
        if path.exists() and json.loads(path.read_text(encoding="utf-8"))["of"] == known:
            return
        encoder, limit = self.model.encoder(tune.method.lead(self.model.card.vocabulary)), tune.max_length
        try:
            sequences = tune.settled(self.dataset).objective.sequences
            found = fit(self.dataset, encoder, limit, self.console, sequences)
        except SevenfoldError as error:
            path.unlink(missing_ok=True)
            self.console.warn(f"how the rows fit the tokenizer is not known: {error.problem}")
            return
        write_json(path, {"of": known, **found.as_json("tokens")})
        self.console.say(f"  tokens: {found.said}")

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
        return [proofs.run(name, case) for name in proofs.possible(set(self.results), case.section)]

    def identity(self, stage: Stage) -> str:
        """The hash of everything that the stage's result depends on."""
        if stage.name not in self.identities:
            section = self.recipe.section(stage.name)
            self.identities[stage.name] = digest(
                {
                    "section": section.model_dump(mode="json", exclude=set(section.elsewhere)),
                    "outside": {**section.outside(), **section.own_files()},
                    "parents": [self.identity(stage_named(need)) for need in stage.needs],
                    "code": code_digest(stage.name, *ROOMS),
                }
            )
        return self.identities[stage.name]

    def kept(self, stage: Stage) -> StageRecord | None:
        """What the stage's folder holds, as the folder itself says.

        A process may be killed between two moves of folders, so the run's record cannot know it.
        """
        path = stage.folder(self.folder) / STAGE_FILE
        return StageRecord.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else None

    def reuse(self, stage: Stage) -> Result | None:
        """The stage's result if it is already there with the identity it would have now."""
        if stage.fresh:
            return None
        self.bring_back(stage)
        if not self.is_done(stage):
            return None
        kept = self.kept(stage)
        if kept and self.record.stages.get(stage.name) != kept:
            self.record.stages[stage.name] = kept
            self.record.write()
        self.console.say(f"{stage.number} {stage.name}: done before, reused", style="dim")
        return stage.open(self.folder)

    def bring_back(self, stage: Stage) -> None:
        """Put an earlier result, whole or half done, back from the history when it is the one that is wanted now."""
        folder, identity = stage.folder(self.folder), self.identity(stage)
        kept = self.kept(stage)
        if history(folder, identity).exists() and (kept is None or kept.identity != identity):
            self.make_room(stage)
            history(folder, identity).rename(folder)

    def make_room(self, stage: Stage) -> Path | None:
        """Move what the stage's folder holds into the history; gives its place there."""
        folder, kept = stage.folder(self.folder), self.kept(stage)
        if kept:
            return set_aside(folder, kept.identity)
        if folder.exists():
            # Nothing was done in it: the process that made it was killed at once.
            shutil.rmtree(folder)
        return None

    def is_done(self, stage: Stage) -> bool:
        """Whether the stage's result is there, whole, with the identity it would have now."""
        kept = self.kept(stage)
        whole = (stage.folder(self.folder) / RESULT_FILE).exists()
        return kept is not None and kept.state == "done" and whole and kept.identity == self.identity(stage)

    def work(self, stage: Stage) -> Result:
        """Run a stage, with the proofs that belong before and behind it."""
        from sevenfold.prove import proofs

        folder, identity = stage.folder(self.folder), self.identity(stage)
        before = self.kept(stage)
        if before and before.identity != identity and not stage.fresh:
            aside = self.make_room(stage)
            self.console.say(f"  the earlier {stage.name} (another recipe, data or code) is kept in {aside}")
        self.console.heading(f"{stage.number} {stage.name}")
        kept = StageRecord(
            name=stage.name,
            identity=identity,
            parents={need: self.identity(stage_named(need)) for need in stage.needs},
            before=None if stage.fresh else superseded(before, identity),
            section=self.recipe.section(stage.name).model_dump(mode="json"),
            origins=self.recipe.origins(stage.name),
        )
        sweep(folder.rglob(".*"))
        write_json(folder / STAGE_FILE, kept.model_dump())
        inputs = [self.results[need] for need in stage.needs]
        if stage.name == "evaluate":
            self.open_others(folder)
        with self.record.stage(kept, folder, self.console) as entry:
            if self.proved:
                proofs.before(stage.name, self.results, self.recipe, entry, self.force)
            result = stage.call(self.recipe.section(stage.name), inputs, entry)
            if self.proved:
                proofs.after(stage.name, {**self.results, stage.name: result}, self.recipe, entry, self.force)
        write_json(folder / STAGE_FILE, kept.model_dump())
        return result

    def open_others(self, folder: Path) -> None:
        """Load the models that are compared beside base and tuned, but for runs, which have theirs open already.

        Args:
            folder: The stage's folder.
        """
        if not self.recipe.evaluate.others:
            return
        from sevenfold.evaluate.others import FOLDER, is_run
        from sevenfold.load.section import LoadSection
        from sevenfold.load.stage import load

        for name, source in self.recipe.evaluate.others.items():
            place = folder / FOLDER / name
            if not is_run(source) and not (place / RESULT_FILE).exists():
                place.mkdir(parents=True, exist_ok=True)
                load(LoadSection(model=source), Entry(place, self.console))


def superseded(before: StageRecord | None, identity: str) -> str | None:
    """The identity of the whole result that a new one follows, by what its folder held; half ones are passed over."""
    if before is None:
        return None
    return before.identity if before.state == "done" and before.identity != identity else before.before


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
