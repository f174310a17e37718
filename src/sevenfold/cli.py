"""The command ``sevenfold``: one command for each stage, and a few that look without changing anything."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sevenfold import cores
from sevenfold.disk import refusal
from sevenfold.errors import Interrupted, RecipeError, SevenfoldError

if TYPE_CHECKING:
    from sevenfold.console import Console
    from sevenfold.pipeline import Run

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
    cores.share()
    # SIGTERM ends the work as Ctrl-C does; training and serving put their own handlers in its place.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = call()
    finally:
        signal.signal(signal.SIGTERM, before)
    sys.exit(code)


def call() -> int:
    """Run the command and say what went wrong; gives the exit code."""
    stopped = Interrupted("stopped; what is done is kept", next_step="run the same command to go on")
    try:
        code = app(standalone_mode=False) or 0
        # typer gives Ctrl-C as this code; its earlier versions raise Abort.
        return tell(stopped) if code == Interrupted.exit_code else int(code)
    except SevenfoldError as error:
        return tell(error)
    except (KeyboardInterrupt, typer.Abort):
        return tell(stopped)
    except Exception as error:
        refused = refusal(error, Path.cwd())
        if refused:
            return tell(refused)
        # click's own errors (a missing argument, an unknown option) know how to show themselves.
        if not hasattr(error, "show"):
            raise
        error.show()
        if as_json_wanted():
            emit(RecipeError(str(error), next_step="sevenfold --help").as_json())
        return getattr(error, "exit_code", 2)


def as_json_wanted() -> bool:
    """Whether ``--json`` is on the command line; a command that fails early has not read it."""
    return "--json" in sys.argv


def tell(error: SevenfoldError) -> int:
    """Show an error, as text or, when ``--json`` was asked for, as JSON too; gives the exit code."""
    opening = "" if isinstance(error, Interrupted) else "error: "
    sys.stderr.write(f"{opening}{error}\n")
    if as_json_wanted():
        emit(error.as_json())
    return error.exit_code


def emit(value: object) -> None:
    """Write the one JSON object of ``--json``."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def open_run(name: str, overrides: list[str] | None, runs: Path, force: bool = False) -> tuple[Run, Console]:
    """A recipe in its folder, with a console on standard error."""
    from sevenfold.commands import places
    from sevenfold.console import Console
    from sevenfold.pipeline import Run

    recipe, place = places.read_recipe(name, overrides, runs)
    console = Console()
    return Run(recipe, place, console, force), console


def run_stages(name: str, last: str, overrides: list[str] | None, runs: Path, force: bool, as_json: bool) -> None:
    """Run a recipe up to a stage and show what came out."""
    from sevenfold.commands import outcome

    run, console = open_run(name, overrides, runs, force)
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
    from sevenfold.commands import outcome

    run, console = open_run(recipe, overrides, runs, force)
    record = run.up_to("monitor")
    if as_json:
        emit(outcome.run_as_json(record))
    else:
        outcome.show(record, "monitor", console)


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
    if _stage != "monitor":
        app.command(_stage, help=_help)(stage_command(_stage))


@app.command(help=STAGES["monitor"])
def monitor(
    recipe: RecipeArgument,
    overrides: SetOption = None,
    runs: RunsOption = RUNS,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """A run that is there is looked at as it is; a recipe file runs the stages before first."""
    from sevenfold.commands import outcome, places, watching

    run, console = open_run(recipe, overrides, runs, force)
    record = run.again("monitor") if places.kept_run(recipe, runs) else run.up_to("monitor")
    watching.draw(record, console)
    if as_json:
        emit(outcome.as_json(record, "monitor"))
    else:
        watching.show(record, console)


@app.command()
def prove(
    recipe: RecipeArgument, overrides: SetOption = None, runs: RunsOption = RUNS, as_json: JsonOption = False
) -> None:
    """Run the proofs that the run's stages allow, alone; exit code 3 when one fails."""
    from sevenfold.prove import proofs

    run, console = open_run(recipe, overrides, runs)
    found = run.prove()
    for proof in found:
        console.say(proofs.line(proof), style="green" if proof.passed else "red")
    if as_json:
        emit({"proofs": [proof.as_json() for proof in found]})
    raise typer.Exit(0 if all(proof.passed for proof in found) else 3)


@app.command()
def plan(
    recipe: RecipeArgument,
    overrides: SetOption = None,
    runs: RunsOption = RUNS,
    measure: Annotated[bool, typer.Option(help="Take a few real steps for memory and time as they are.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Memory by part and time, before anything is trained: by arithmetic, and measured on a few steps."""
    from sevenfold.commands import forecast

    run, console = open_run(recipe, overrides, runs)
    run.up_to("setup", report=False)
    found = forecast.of_run(run, measure)
    if as_json:
        emit(forecast.as_json(*found))
    else:
        forecast.show(*found, console)


@app.command()
def compare(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A comparison file.")],
    overrides: SetOption = None,
    runs: RunsOption = RUNS,
    plan: Annotated[bool, typer.Option("--plan", help="Show each variant's plan, and train nothing.")] = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train one recipe in several ways and say which to take; what is done already is reused."""
    from sevenfold.commands import comparing

    found, show = comparing.planned(file, overrides, runs) if plan else comparing.run(file, overrides, runs, force)
    if as_json:
        emit(found)
    else:
        show(found)


@app.command()
def folds(  # noqa: PLR0913 (one option each)
    recipe: RecipeArgument,
    count: Annotated[int | None, typer.Option("--folds", min=2, help="How many; default: the recipe's, or 5.")] = None,
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="As many as there are questions, or values of --by.")
    ] = False,
    by: Annotated[
        str | None, typer.Option(help="A column: the same shares in each fold; or what is left out as a whole.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Rows of each fold to score at most; default: all.")] = None,
    limit: Annotated[int, typer.Option(min=2, help="Trainings of --leave-one-out at most.")] = 100,
    overrides: SetOption = None,
    runs: RunsOption = RUNS,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Cross-validation: train on all folds but one, in turn; every row is scored by a model that never saw it."""
    from sevenfold.commands import folding
    from sevenfold.console import Console

    console = Console()
    asked = {"count": count, "leave_one_out": leave_one_out, "column": by, "rows": rows, "limit": limit}
    found = folding.run(recipe, overrides, runs, asked, force, console)
    if as_json:
        emit(found)
    else:
        folding.show(found, console)


@app.command(hidden=True)
def trial(
    recipe: RecipeArgument, overrides: SetOption = None, runs: RunsOption = RUNS, as_json: JsonOption = False
) -> None:
    """A short training of `compare`'s search: without proofs, because its weights are not kept."""
    from sevenfold.commands import outcome

    run, _ = open_run(recipe, overrides, runs)
    run.proved = False
    record = run.up_to("tune", report=False)
    if as_json:
        emit(outcome.as_json(record, "tune"))


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

    run, console = open_run(recipe, overrides, runs)
    run.up_to("load", report=False)
    examples, tune = run.dataset.head("train", rows), run.recipe.tune.settled(run.dataset)
    encoder = run.model.encoder(tune.method.lead(run.model.card.vocabulary))
    views = list(shown.views(examples, tune.objective.sequences, encoder, tune.max_length))
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
    as_json: JsonOption = False,
) -> None:
    """Serve a run's tuned model: an OpenAI-compatible API; every exchange goes into the run's store."""
    from sevenfold.commands import places, serving

    serving.serve(places.run_folder(name, runs), host, port, emit if as_json else None)


@app.command()
def show(name: RunArgument, runs: RunsOption = RUNS, as_json: JsonOption = False) -> None:
    """A run's record: stages, times, figures, proofs."""
    from sevenfold.commands import outcome, places
    from sevenfold.console import Console
    from sevenfold.record import Record

    record = Record.open(places.run_folder(name, runs))
    if as_json:
        emit(record.as_json())
    else:
        outcome.show_record(record, Console())


@app.command()
def versions(name: RunArgument, runs: RunsOption = RUNS, as_json: JsonOption = False) -> None:
    """The datasets that a run has prepared, and what changed from each to the next."""
    from sevenfold.commands import places, versioning
    from sevenfold.console import Console

    found = versioning.versions(places.run_folder(name, runs))
    if as_json:
        emit({"versions": [version.as_json() for version in found]})
    else:
        versioning.show(found, Console())


@app.command()
def label(  # noqa: PLR0913 (one option each)
    place: Annotated[str, typer.Argument(metavar="PLACE", help="A run, its review.jsonl, or a file of JSON rows.")],
    labels: Annotated[str, typer.Option(help="The labels, parted by commas; default: the queue's.")] = "",
    question: Annotated[str | None, typer.Option(help="What is asked; default: the queue's.")] = None,
    multi: Annotated[bool | None, typer.Option(help="Whether several labels may fit; default: the queue's.")] = None,
    text: Annotated[str | None, typer.Option(help="The column to read, in a file of rows.")] = None,
    annotator: Annotated[str | None, typer.Option(help="Who answers; default: the system's user.")] = None,
    overlap: Annotated[float, typer.Option(help="Share of the rows that everyone is asked, for agreement.")] = 0.0,
    answers: Annotated[Path | None, typer.Option(help="The answers file; default: answers.jsonl of the run.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0: any free one.")] = 0,
    summary: Annotated[bool, typer.Option("--summary", help="Say how far the answers agree; serve nothing.")] = False,
    exported: Annotated[
        tuple[str, Path] | None,
        typer.Option("--export", metavar="FORMAT FILE", help="label-studio, doccano, prodigy, argilla or csv."),
    ] = None,
    imported: Annotated[
        tuple[str, Path] | None,
        typer.Option("--import", metavar="FORMAT FILE", help="The same, or auto: answers of another tool."),
    ] = None,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Label rows by hand, on a page in the browser; or in another tool and back."""
    from sevenfold.commands import labelling
    from sevenfold.console import Console
    from sevenfold.prepare.labels.review import Asked

    asked = Asked([one.strip() for one in labels.split(",")] if labels else None, question, multi, text)
    wish = labelling.Wish(place, runs, asked, answers, annotator, overlap, port)
    console = Console()
    if exported:
        found, show = labelling.export(wish, *exported), labelling.show_export
    elif imported:
        found, show = labelling.bring(wish, *imported), labelling.show_import
    elif summary:
        found, show = labelling.summary(wish), labelling.show_summary
    else:
        labelling.serve(wish, emit if as_json else None, console)
        return
    if as_json:
        emit(found)
    else:
        show(found, console)


@app.command()
def judge(  # noqa: PLR0913 (one option each)
    names: Annotated[list[str], typer.Argument(metavar="RUN...", help="A run, or several on the same rows.")],
    annotator: Annotated[str | None, typer.Option(help="Who judges; default: the system's user.")] = None,
    criteria: Annotated[str | None, typer.Option(help="What is asked of each pair of answers.")] = None,
    scales: Annotated[str, typer.Option(help="Marks from 1 to 5 to ask for: fluency,correctness.")] = "",
    reference: Annotated[bool, typer.Option("--reference", help="Offer the row's own answer to be looked at.")] = False,
    most: Annotated[int | None, typer.Option(min=1, help="Pairs to ask at most, drawn by the seed.")] = None,
    overlap: Annotated[float, typer.Option(help="Share of the pairs that every annotator is asked.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the order and of the sides.")] = 17,
    answers: Annotated[Path | None, typer.Option(help="The judgements file; default: in the first run.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page; 0: any free one.")] = 0,
    report: Annotated[bool, typer.Option("--report", help="Say what the judgements say; serve nothing.")] = False,
    exported: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help=".html (a page in one file), .csv or .jsonl.")
    ] = None,
    imported: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="The same filled in, or what the page saved.")
    ] = None,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Compare a run's answers by hand, blind and side by side, on a page in the browser; and reckon it up."""
    from sevenfold.commands import judging
    from sevenfold.console import Console
    from sevenfold.evaluate.human.desk import CRITERIA, Asked

    wanted = tuple(one.strip() for one in scales.split(",")) if scales else ()
    asked = Asked(CRITERIA if criteria is None else criteria, wanted, reference, seed, overlap)
    wish = judging.Wish(tuple(names), runs, asked, most, annotator, answers, port)
    console = Console()
    if exported:
        found, show = judging.export(wish, exported), judging.show_export
    elif imported:
        found, show = judging.bring(wish, imported), judging.show_import
    elif report:
        found, show = judging.report(wish), judging.show_report
    else:
        judging.serve(wish, emit if as_json else None, console)
        return
    if as_json:
        emit(found)
    else:
        show(found, console)


@app.command()
def restore(
    name: RunArgument,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The first digits of a dataset's identity.")],
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Put an earlier dataset of a run back, with its section of the recipe; the present one is kept."""
    from sevenfold.commands import places, versioning
    from sevenfold.console import Console

    found = versioning.restore(places.run_folder(name, runs), version)
    if as_json:
        emit(found.as_json())
    else:
        versioning.show_restored(found, Console())


@app.command()
def trace(
    name: RunArgument,
    origin: Annotated[str, typer.Argument(metavar="ORIGIN", help="Where a row stands: rows.jsonl:7, augment:3.")],
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """A row of a run's dataset: its split or why it was dropped, what it was made of, and what was made of it."""
    from sevenfold.commands import places, tracing
    from sevenfold.console import Console

    found = tracing.trace(places.run_folder(name, runs), origin)
    if as_json:
        emit(found.as_json())
    else:
        tracing.show(found, Console())


@app.command("check-objective")
def check_objective(
    named: Annotated[
        str, typer.Argument(metavar="FILE", help="A Python file with an objective, or an objective's name.")
    ],
    fields: SetOption = None,
    rows: Annotated[
        str | None, typer.Option("--rows", help="Rows that it can learn from; not given: questions and answers.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Try on a tiny model whether your own objective does what every objective does; a minute."""
    from sevenfold.commands import checking
    from sevenfold.console import Console

    found = checking.run(named, fields or [], rows, Console())
    if as_json:
        emit({"objective": named, "proofs": [proof.as_json() for proof in found]})
    checking.required(found)


@app.command("merge-adapters")
def merge_adapters(  # noqa: PLR0913 (one option each)
    parents: Annotated[list[str], typer.Argument(metavar="ADAPTER...", help="Runs, or folders in PEFT's format.")],
    out: Annotated[Path, typer.Option(help="The new folder.")],
    how: Annotated[
        str, typer.Option(help="svd, concatenate, linear, average, ties, dare; or with fields: '{svd: {rank: 32}}'.")
    ] = "",
    weights: Annotated[str, typer.Option(help="How much each counts, for example 0.7,0.3; default: 1 each.")] = "",
    ask: Annotated[int, typer.Option(min=0, help="Prompts of each adapter that are asked behind the merge.")] = 8,
    prompts: Annotated[Path | None, typer.Option(help="Prompts to ask, one a line, instead of the runs' rows.")] = None,
    texts: Annotated[
        Path | None, typer.Option("--for", help="Texts of a new domain, one a line: only near adapters are averaged.")
    ] = None,
    most: Annotated[int, typer.Option(min=2, help="Adapters that are chosen with --for, at most.")] = 5,
    base: Annotated[str | None, typer.Option(help="The base model, where no run says it.")] = None,
    seed: Annotated[int, typer.Option(help="Of what dare draws.")] = 17,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """Several LoRA adapters of one base to one, and a look at what it inherits from each."""
    from sevenfold.commands import merging
    from sevenfold.console import Console

    wish = merging.Wish(tuple(parents), out, how, weights, ask, prompts, texts, most, base, seed, runs)
    console = Console()
    outcome = merging.run(wish, console)
    if as_json:
        emit(outcome.as_json())
    else:
        merging.show(outcome, console)


@app.command()
def rollback(
    name: RunArgument,
    which: Annotated[
        list[str],
        typer.Option(help="even or odd half of every block, a share such as 0.5, or a parameter's name with *; often."),
    ],
    to: Annotated[Path, typer.Option(help="The new folder.")],
    seed: Annotated[int, typer.Option(help="Of what a share draws.")] = 17,
    runs: RunsOption = RUNS,
    as_json: JsonOption = False,
) -> None:
    """A run's tuned model of which a part is the base's again, as a model of its own."""
    from sevenfold.commands import places, rolling_back
    from sevenfold.console import Console

    outcome = rolling_back.run(places.run_folder(name, runs), which, to, seed)
    if as_json:
        emit(outcome.as_json())
    else:
        rolling_back.show(outcome, Console())


@app.command("guard")
def guard_command(
    what: Annotated[str, typer.Argument(metavar="TEXT|ROWS", help="A text, or rows in a .jsonl or .csv file.")],
    which: Annotated[
        str, typer.Option("--guard", help="linear, rules, or with fields: '{classifier: {model: runs/guard}}'.")
    ] = "linear",
    side: Annotated[Literal["prompt", "response"], typer.Option(help="Which end is judged.")] = "prompt",
    label: Annotated[str, typer.Option(help="The column that says what is right: safe, or a category.")] = "label",
    group: Annotated[str, typer.Option(help="A column to split the figures by, for example language.")] = "",
    fit: Annotated[
        Path | None, typer.Option(help="Learn a head for the guard linear from the rows, to this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What a guard says of a text or of rows, and how good it is where rows have labels."""
    from sevenfold.commands import guarding
    from sevenfold.console import Console

    rows = guarding.rows_of(what, side, label, group)
    console = Console()
    if fit is not None:
        made = guarding.fit(rows, side, fit)
        emit(made) if as_json else console.say(f"{fit}: {len(made['labels'])} labels from {made['rows']} rows")
        return
    found = guarding.run(guarding.chosen(which), rows, side, console)
    emit(found) if as_json else guarding.show(found, console)


@app.command()
def leaderboard(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that holds the runs.")] = RUNS,
    out: Annotated[Path | None, typer.Option(help="Also write the table to this Markdown file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """All runs' figures, safety and forgetting in one table; ranked where the same items were asked."""
    from sevenfold.commands import leaderboard as board
    from sevenfold.console import Console

    found = board.run(folder)
    if out:
        board.save(found, out)
    if as_json:
        emit(found)
    else:
        board.show(found, Console())


@app.command()
def schema(as_json: JsonOption = True) -> None:
    """The JSON Schema of a recipe, for editors; always one JSON object."""
    from sevenfold.recipe import Recipe

    emit(Recipe.model_json_schema())
