"""A comparison at work: the plan, each variant's search and its run, and the page, which is written after each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sevenfold.compare import figures, page, process, told
from sevenfold.compare.pace import Job, Pace
from sevenfold.compare.process import Failure
from sevenfold.compare.search import Choice, Tried, choose, lowest
from sevenfold.compare.section import CompareSection
from sevenfold.compare.share import lend
from sevenfold.compare.state import State
from sevenfold.compare.variants import Trial, Variant, variants
from sevenfold.console import Console
from sevenfold.pipeline import Run, stage_named
from sevenfold.record import Record
from sevenfold.report.words import duration, number, size

OVERHEAD = 15.0
"""Seconds of a process beside its training's steps, for the first guess of the time left."""
TRAINED = re.compile(r"^training: (\d+)/(\d+)")
CHANGED = "the data, the model or the code changed while it was trained; run the same command again"
NOTE = 60
"""Characters of what a process says that stand beside the bar."""


@dataclass
class Work:
    """A comparison in its folder.

    Args:
        comparison: What is compared.
        overrides: The command line's ``--set`` options.
        runs: The folder that holds all runs.
        console: Where progress goes.
        force: Go on when a proof fails.
    """

    comparison: CompareSection
    overrides: list[str]
    runs: Path = Path("runs")
    console: Console = field(default_factory=Console)
    force: bool = False

    def __post_init__(self) -> None:
        self.folder = self.comparison.folder(self.runs)
        self.states = [State(variant) for variant in variants(self.comparison)]

    def run(self) -> dict[str, Any]:
        """Run what is not done yet; gives the comparison, which is in ``comparison.json`` too.

        Raises:
            SevenfoldError: No variant could be run; the error is the first one's.
            Interrupted: The user stopped it; the same command goes on.
        """
        for state in self.states:
            self.find(state)
        if any(state.state == "waiting" for state in self.states):
            self.plan()
        with Record(self.folder).locked():
            self.work()
            made = self.tell()
        failed = [state.failure for state in self.states if state.failure]
        if len(failed) == len(self.states):
            raise failed[0].error("no variant could be run; the first: ")
        return made

    def find(self, state: State) -> None:
        """Take what an earlier command has finished."""
        choice = self.found_choice(state.variant)
        if choice is not None and choice.chosen is not None and self.take(state, choice.chosen):
            state.choice = choice
            self.console.say(f"{state.variant.name}: done before, reused", style="dim")

    def take(self, state: State, chosen: dict[str, Any]) -> bool:
        """Read what a variant's run came to; False where it is not done."""
        run = Run(state.variant.recipe(chosen), self.folder, Console(quiet=True))
        if all(run.is_done(stage_named(name)) for name in ("prepare", "load", "tune", "evaluate")):
            state.figures = figures.of_run(run.folder)
        return state.figures is not None

    def found_choice(self, variant: Variant) -> Choice | None:
        """What the search chose, where every candidate's training is there."""
        if len(variant.candidates) < 2:
            return Choice(variant.candidates[0] if variant.candidates else {})
        found = [self.found_trial(variant, variant.trial(candidate)) for candidate in variant.candidates]
        tried = [one for one in found if one is not None]
        return choose(tried) if len(tried) == len(found) else None

    def found_trial(self, variant: Variant, trial: Trial) -> Tried | None:
        """A candidate's training, if it is done."""
        run = Run(trial.recipe, self.trials(variant), Console(quiet=True))
        if not all(run.is_done(stage_named(name)) for name in ("prepare", "load", "tune")):
            return None
        tuned = figures.result(run.record, "tune")
        seconds = tuned["tokens"] / max(tuned["tokens_per_second"], 1e-9)
        return Tried(trial.candidate, lowest(tuned["validation_losses"]), seconds)

    def trials(self, variant: Variant) -> Path:
        """The folder of a variant's trials."""
        return self.folder / "search" / variant.name

    def plan(self) -> None:
        """Plan every variant in one process, so that a refused one is known before anything is trained."""
        self.console.heading("plan")
        words = ["compare", str(self.comparison.path), "--plan", "--runs", str(self.runs)]
        for override in self.overrides:
            words += ["--set", override]
        ended = process.call(words, self.folder / "plan.log", lambda line: None)
        if ended.failure:
            raise ended.failure.error()
        planned = {one["name"]: one for one in ended.said["variants"]}
        for state in (state for state in self.states if state.state == "waiting"):
            found = planned[state.variant.name]
            state.plan = found["plan"]
            if found["failure"]:
                self.fail(state, Failure.of(found["failure"]))
            elif not found["plan"]["fits"]:
                self.fail(state, too_large(found["plan"]))

    def work(self) -> None:
        """Every variant that waits, in the file's order; the page is written after each."""
        waiting = [state for state in self.states if state.state == "waiting"]
        jobs = {job: planned for state in waiting for job, planned in jobs_of(state).items()}
        with self.console.task(self.comparison.name, max(1, round(sum(jobs.values())))) as bar:
            pace = Pace(jobs, bar)
            for state in waiting:
                self.search(state, pace)
                if state.choice and state.choice.chosen is not None:
                    self.train(state, state.choice.chosen, pace)
                pace.skip(jobs_of(state))
                self.tell()

    def search(self, state: State, pace: Pace) -> None:
        """Choose a variant's candidate; a mistake that no candidate could mend ends the variant."""
        variant, tried = state.variant, []
        state.choice = self.found_choice(variant)
        if state.choice is not None:
            return
        for place, candidate in enumerate(variant.candidates, 1):
            trial = variant.trial(candidate)
            one = self.found_trial(variant, trial)
            if one is None:
                title = f"{variant.name}, search {place} of {len(variant.candidates)}: {trial.name}"
                one = self.try_out(state, trial, title, pace)
            tried.append(one)
            if one.failure and one.failure.kind != "TrainingError":
                self.fail(state, one.failure)
                return
        state.choice = choose(tried)
        if state.choice.chosen is None:
            self.fail(state, next(one.failure for one in tried if one.failure))

    def try_out(self, state: State, trial: Trial, title: str, pace: Pace) -> Tried:
        """A candidate's training, in a process of its own."""
        runs = self.trials(state.variant)
        run = Run(trial.recipe, runs, Console(quiet=True))
        lend(run, self.lenders())
        words = ["trial", *trial.words, "--runs", str(runs)]
        ended = self.call((state.variant.name, trial.name), words, run.folder / "log.txt", title, pace)
        found = None if ended.failure else self.found_trial(state.variant, trial)
        if found is None:
            failure = ended.failure or Failure(CHANGED, "crash")
            self.console.say(f"  {failure.problem}", style="yellow")
            return Tried(trial.candidate, failure=failure)
        self.console.say(f"  validation loss {number(found.loss)}")
        return found

    def train(self, state: State, chosen: dict[str, Any], pace: Pace) -> None:
        """A variant's own run, in a process of its own."""
        variant = state.variant
        run = Run(variant.recipe(chosen), self.folder, Console(quiet=True))
        lend(run, self.lenders())
        words = ["evaluate", *variant.words(chosen), "--runs", str(self.folder), *["--force"] * self.force]
        settings = ", ".join(f"{key}={number(value)}" for key, value in chosen.items())
        title = f"{variant.name}: train and evaluate" + (f" with {settings}" if settings else "")
        ended = self.call((variant.name, ""), words, run.folder / "log.txt", title, pace)
        if ended.failure:
            self.fail(state, ended.failure)
        elif not self.take(state, chosen):
            self.fail(state, Failure(CHANGED, "crash"))

    def lenders(self) -> list[Path]:
        """Folders of runs that may have prepared the same rows."""
        return [self.folder / state.variant.name for state in self.states]

    def call(self, job: Job, words: list[str], log: Path, title: str, pace: Pace) -> process.Ended:
        """Run a job's process, with its progress and the time that is left."""
        self.console.heading(f"{title} (about {duration(pace.left)} left)")
        with pace.job(job) as move:

            def hear(line: str) -> None:
                found = TRAINED.match(line)
                move(int(found[1]) / int(found[2]) if found else 0.0, line[:NOTE])

            return process.call(words, log, hear)

    def fail(self, state: State, failure: Failure) -> None:
        """Keep why a variant has no figures, and say it."""
        state.failure = failure
        self.console.warn(f"{state.variant.name}: {failure.problem}")

    def tell(self) -> dict[str, Any]:
        """Write ``comparison.json`` and the page as far as the work has come."""
        made = told.comparison(self.comparison, self.states, self.folder)
        page.write(made, self.folder)
        return made


def jobs_of(state: State) -> dict[Job, float]:
    """A variant's jobs, by its name and the trial's (empty: its own run), with their planned seconds."""
    if state.plan is None:
        return {}
    variant, whole = state.variant, state.plan["seconds"]
    short = whole * variant.steps / state.plan["steps"]
    several = variant.candidates if len(variant.candidates) > 1 else ()
    trials = {(variant.name, variant.trial(candidate).name): short + OVERHEAD for candidate in several}
    return {**trials, (variant.name, ""): whole + 2 * OVERHEAD}


def too_large(plan: dict[str, Any]) -> Failure:
    """The failure of a variant whose plan does not fit."""
    return Failure(
        f"training needs about {size(plan['total_bytes'])}",
        "MachineError",
        expected=f"at most {size(plan['available_bytes'])}, which are free now",
        next="; or ".join(plan["advice"]) or "a smaller model, or a machine with more memory",
    )
