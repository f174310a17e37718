"""The command ``sevenfold``: one command for each stage, and a few that look without changing anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sevenfold.errors import RecipeError, SevenfoldError

if TYPE_CHECKING:
    from sevenfold.console import Console
    from sevenfold.pipeline import Run
    from sevenfold.recipe import Recipe

STAGES = {
    "prepare": "Rows from anywhere to a checked dataset with splits and a data report.",
    "load": "A model's name to a model on disk with a safe tokenizer and a card.",
    "setup": "The machine to an environment: device, precision, seed.",
    "tune": "Train, with the proofs before and behind it.",
    "evaluate": "Better or not, how sure, what was forgotten.",
    "deploy": "Exports and the service, proved to answer as the tuned model does.",
    "monitor": "What the service's traffic looks like, and alerts.",
}

app = typer.Typer(
    help="Take a language model through seven stages, from raw rows to a watched service, and prove every hand-over.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

RecipeArgument = Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe file, or a run that used one.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's name under --runs, or its folder.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a value, for example tune.epochs=3.")
]
RunsOption = Annotated[Path, typer.Option("--runs", help="The folder that holds all runs.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Go on when a proof fails; the record keeps it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
RUNS = Path("runs")


def main() -> None:
    """Run the command line; a user's mistake is a message, never a traceback."""
    try:
        app(standalone_mode=False)
    except typer.Exit as leave:
        sys.exit(leave.exit_code)
    except SevenfoldError as error:
        sys.exit(tell(error))
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("\nstopped; done stages are kept, run the same command to go on\n")
        sys.exit(130)
    except Exception as error:
        # click's own errors (a missing argument, an unknown option) know how to show themselves.
        if not hasattr(error, "show"):
            raise
        error.show()
        sys.exit(getattr(error, "exit_code", 2))


def tell(error: SevenfoldError) -> int:
    """Show an error, as text or, when ``--json`` was asked for, as JSON too; gives the exit code."""
    sys.stderr.write(f"error: {error}\n")
    if "--json" in sys.argv:
        emit(error.as_json())
    return error.exit_code


def emit(value: object) -> None:
    """Write the one JSON object of ``--json``."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def read_recipe(name: str, overrides: list[str] | None, runs: Path) -> Recipe:
    """A recipe file, or the recipe that a run wrote down."""
    from sevenfold.recipe import Recipe

    for folder in (runs / name, Path(name)):
        if (folder / "recipe.yaml").is_file():
            return Recipe.from_file(folder / "recipe.yaml", overrides or ())
    return Recipe.from_file(name, overrides or ())


def open_run(recipe: Recipe, runs: Path, force: bool) -> tuple[Run, Console]:
    """A recipe in its folder, with a console on standard error."""
    from sevenfold.console import Console
    from sevenfold.pipeline import Run

    console = Console()
    return Run(recipe, runs, console, force), console


def run_stages(name: str, last: str, overrides: list[str] | None, runs: Path, force: bool, as_json: bool) -> None:
    """Run a recipe up to a stage and show what came out."""
    from sevenfold.commands import outcome

    run, console = open_run(read_recipe(name, overrides, runs), runs, force)
    record = run.up_to(last)
    if as_json:
        emit(outcome.as_json(record, last))
    else:
        outcome.show(record, last, console)


@app.command("run")
def run_command(
    recipe: RecipeArgument,
    overrides: SetOption = None,
    runs: RunsOption = RUNS,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run all seven stages; what is done already is reused."""
    run_stages(recipe, "monitor", overrides, runs, force, as_json)


def stage_command(stage: str) -> Callable[..., None]:
    """The command of one stage: run up to it, reusing what is done."""

    def command(
        recipe: RecipeArgument,
        overrides: SetOption = None,
        runs: RunsOption = RUNS,
        force: ForceOption = False,
        as_json: JsonOption = False,
    ) -> None:
        run_stages(recipe, stage, overrides, runs, force, as_json)

    return command


for _stage, _help in STAGES.items():
    app.command(_stage, help=_help)(stage_command(_stage))


@app.command()
def prove(
    recipe: RecipeArgument, overrides: SetOption = None, runs: RunsOption = RUNS, as_json: JsonOption = False
) -> None:
    """Run the proofs that the run's stages allow, alone; exit code 3 when one fails."""
    from sevenfold.prove import proofs

    run, console = open_run(read_recipe(recipe, overrides, runs), runs, force=False)
    found = run.prove()
    for proof in found:
        console.say(proofs.line(proof), style="green" if proof.passed else "red")
    if as_json:
        emit({"proofs": [proof.as_json() for proof in found]})
    raise typer.Exit(0 if all(proof.passed for proof in found) else 3)


@app.command()
def plan(
    recipe: RecipeArgument, overrides: SetOption = None, runs: RunsOption = RUNS, as_json: JsonOption = False
) -> None:
    """Memory by part and time, before anything is trained."""
    from sevenfold.commands import forecast

    run, console = open_run(read_recipe(recipe, overrides, runs), runs, force=False)
    run.up_to("setup", report=False)
    work, made = forecast.of_run(run)
    if as_json:
        emit(forecast.as_json(work, made))
    else:
        forecast.show(work, made, console)


@app.command()
def preview(
    recipe: RecipeArgument,
    overrides: SetOption = None,
    runs: RunsOption = RUNS,
    rows: Annotated[int, typer.Option(min=1, help="How many training rows to show.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Rows as the trainer sees them: tokens, with what is learnt in colour, and what would be cut."""
    from sevenfold.chat import preview as shown

    run, console = open_run(read_recipe(recipe, overrides, runs), runs, force=False)
    run.up_to("load", report=False)
    examples = [(row.origin, row.conversation) for row in run.dataset.head("train", rows)]
    tune = run.recipe.tune
    views = list(shown.views(examples, tune.objective.sequences, run.model.encoder(), tune.max_length))
    if as_json:
        emit({"rows": [view.as_json() for view in views]})
    else:
        for view in views:
            shown.show(view, console)


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """What the machine has, what is missing, and how to get it."""
    from dataclasses import asdict

    from sevenfold.console import Console
    from sevenfold.setup.doctor import diagnose

    findings = diagnose()
    if as_json:
        emit({"findings": [asdict(finding) for finding in findings]})
    else:
        rows = [[finding.state, finding.what, finding.detail, finding.mend or ""] for finding in findings]
        Console().table("doctor", ["state", "what", "found", "how to mend"], rows)
    raise typer.Exit(1 if any(finding.state == "bad" for finding in findings) else 0)


@app.command()
def serve(
    name: RunArgument,
    runs: RunsOption = RUNS,
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: the recipe's.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: the recipe's.")] = None,
) -> None:
    """Serve a run's tuned model: an OpenAI-compatible API; every exchange goes into the run's store."""
    from sevenfold.commands import serving

    serving.serve(run_folder(name, runs), host, port)


@app.command()
def show(name: RunArgument, runs: RunsOption = RUNS, as_json: JsonOption = False) -> None:
    """A run's record: stages, times, figures, proofs."""
    from sevenfold.commands import outcome
    from sevenfold.console import Console
    from sevenfold.record import Record

    record = Record.open(run_folder(name, runs))
    if as_json:
        emit(record.as_json())
    else:
        outcome.show_record(record, Console())


@app.command()
def schema() -> None:
    """The JSON Schema of a recipe, for editors."""
    from sevenfold.recipe import Recipe

    emit(Recipe.model_json_schema())


def run_folder(name: str, runs: Path) -> Path:
    """The folder of a run by its name or path.

    Raises:
        RecipeError: There is no such run; those that exist are listed.
    """
    for folder in (runs / name, Path(name)):
        if (folder / "record.json").is_file():
            return folder
    there = sorted(path.parent.name for path in runs.glob("*/record.json"))
    raise RecipeError(f"there is no run {name!r}", value=name, alternatives=there, next_step="sevenfold run RECIPE")
