"""The command ``judge``: people compare answers without knowing whose they are, and what they say is reckoned up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sevenfold.commands import pages, places
from sevenfold.console import Console
from sevenfold.errors import RecipeError
from sevenfold.evaluate.human import exchange
from sevenfold.evaluate.human.contest import Contest, read_contest
from sevenfold.evaluate.human.desk import Asked, JudgeDesk, checked_asked
from sevenfold.evaluate.human.findings import HUMAN_FILE, findings
from sevenfold.evaluate.human.judgements import Judgements
from sevenfold.evaluate.report import ROWS_FILE
from sevenfold.pipeline import stage_named
from sevenfold.record import Record, write_json

JUDGEMENTS = "judgements.jsonl"
STAGE = stage_named("evaluate")


@dataclass(frozen=True)
class Wish:
    """What the command line asks for.

    Args:
        names: The runs; the first one keeps the judgements.
        runs: The folder that holds all runs.
        asked: What a person is asked.
        most: How many pairs are asked at most; None: all.
        annotator: Who judges; None: the system's user.
        answers: The judgements file; None: in the first run's folder.
        port: Where to listen; 0: any free port.
    """

    names: tuple[str, ...]
    runs: Path
    asked: Asked
    most: int | None = None
    annotator: str | None = None
    answers: Path | None = None
    port: int = 0

    @property
    def folder(self) -> Path:
        """The first run's folder."""
        return places.run_folder(self.names[0], self.runs)

    def opened(self) -> tuple[Contest, Judgements]:
        """The contest and its judgements, which lie where a new evaluation does not replace them.

        Raises:
            RecipeError: There is no such run, it is not evaluated, or it stands there twice.
            DataError: The rows cannot be judged.
        """
        folders = [places.run_folder(name, self.runs) for name in self.names]
        files = {folder.resolve().name: STAGE.folder(folder) / ROWS_FILE for folder in folders}
        if len(files) < len(folders):
            raise RecipeError("two of the runs have one name", value=" ".join(self.names))
        for name, file in files.items():
            if not file.is_file():
                raise RecipeError(
                    f"the run {name!r} has no evaluated rows", where=str(file), next_step=f"sevenfold evaluate {name}"
                )
        return read_contest(files, self.asked.seed), Judgements(self.answers or self.folder / JUDGEMENTS)

    def desk(self, annotator: str) -> JudgeDesk:
        """Somebody's work.

        Raises:
            DataError: All answers are equal, or what is asked cannot be.
        """
        contest, judgements = self.opened()
        if not contest.duels:
            raise RecipeError(
                f"all {contest.rows:,} rows have equal answers, so there is nothing to judge",
                next_step="train longer, or raise evaluate.rows",
            )
        return JudgeDesk(contest.first(self.most), judgements, annotator, checked_asked(self.asked))


def serve(wish: Wish, emit: Callable[[object], None] | None, console: Console) -> None:
    """Serve the page until Ctrl-C, and say how far the work is; not what it says, so that nobody judges for a result.

    Args:
        wish: What is asked for.
        emit: Told the address as one object; None: it is said on the console.
        console: Where everything is said.
    """
    desk = wish.desk(pages.named(wish.annotator))
    tell(desk.contest, console)
    pages.warn_broken(desk, console)
    pages.until_stopped(desk, wish.port, "pairs to judge", emit, console)
    progress = desk.after(-1)["progress"]
    console.say(f"{progress['judged']:,} judged, {progress['skipped']:,} skipped, {progress['left']:,} left")
    console.say(
        f"the judgements are in {desk.answers.path}; the same command goes on, with --report it says what is said"
    )


def tell(contest: Contest, console: Console) -> None:
    """Say what is not asked."""
    equal = sum(contest.equal.values())
    if equal:
        console.say(f"{equal:,} pairs of equal answers are not asked")
    if contest.unmatched:
        console.warn(f"{contest.unmatched:,} rows are not in all of the runs and are left out")
    if contest.other_base:
        console.warn(
            f"{contest.other_base:,} rows were answered otherwise by another run's base; the first run's is shown"
        )


def export(wish: Wish, file: Path) -> dict[str, Any]:
    """Write the pairs for people without the tool; gives the object of ``--json``.

    Raises:
        DataError: The file's name says no format.
    """
    desk = wish.desk(wish.annotator or "")
    exchange.export(desk, file)
    return {"rows": len(desk.origins), "file": str(file)}


def show_export(found: dict[str, Any], console: Console) -> None:
    """Say what was written."""
    console.say(f"{found['rows']:,} pairs are in {found['file']}; read what comes back with --import")


def bring(wish: Wish, file: Path) -> dict[str, Any]:
    """Take judgements from a file; gives the object of ``--json``.

    Raises:
        DataError: There is no such file, or it cannot be read.
    """
    contest, judgements = wish.opened()
    taken = exchange.take(file, contest, judgements, wish.annotator or file.stem)
    return {
        "answers": str(judgements.path),
        "taken": taken.taken,
        "not_taken": dict(taken.not_taken),
        "examples": taken.examples,
    }


def show_import(found: dict[str, Any], console: Console) -> None:
    """Say what was taken, and what was not and why."""
    console.say(f"{found['taken']:,} judgements are in {found['answers']}")
    for reason, count in found["not_taken"].items():
        named = found["examples"].get(reason)
        console.warn(f"not taken: {count:,} {reason}" + (f" (first: {', '.join(named)})" if named else ""))


def report(wish: Wish) -> dict[str, Any]:
    """Reckon the judgements up, and show them on the first run's page; gives the object of ``--json``."""
    from sevenfold.report import page

    contest, judgements = wish.opened()
    found = findings(contest, judgements, wish.asked.seed)
    folder = wish.folder
    path = STAGE.folder(folder) / HUMAN_FILE
    write_json(path, found.as_json())
    if places.kept_run(wish.names[0], wish.runs):
        recipe, _ = places.read_recipe(wish.names[0], None, wish.runs)
        page.write(Record.open(folder), recipe)
    return {"file": str(path), **found.as_json()}


def show_report(found: dict[str, Any], console: Console) -> None:
    """The finding, and the tables behind it."""
    console.say(found["said"])
    if found["preferences"]:
        rows = [
            [
                f"{one['second']} against {one['first']}",
                f"{one['duels']}",
                f"{one['wins']}/{one['losses']}/{one['ties']}",
                f"{one['rate']:.1%}",
                percents(one["bootstrap"]),
                percents(one["wilson"]),
                f"{one['sign_test_p']:.2g}",
                one["better"],
            ]
            for one in found["preferences"]
        ]
        console.table(
            "what people prefer",
            ["pair", "judged", "won/lost/even", "rate", "bootstrap", "Wilson", "p", "better"],
            rows,
        )
        people = [
            [one["name"], str(one["votes"]), percent(one["rate"]), percent(one["left"])] for one in found["annotators"]
        ]
        console.table("who judged", ["annotator", "judged", "rate", "left side"], people)
    agreed = found["agreement"]
    if agreed["duels"]:
        alpha = "not defined" if agreed["alpha"] is None else f"{agreed['alpha']:.2f}"
        console.say(f"agreement on {agreed['duels']} pairs: {agreed['same']:.0%}, Krippendorff's alpha {alpha}")
    for one in found["metrics"]:
        if one["duels"]:
            console.say(f"{one['metric']} prefers what people prefer on {one['same']:.0%} of {one['duels']} pairs")
    for line in found["advice"]:
        console.say(f"next: {line}")
    console.say(f"all figures are in {found['file']}")


def percent(value: float | None) -> str:
    """A share in a cell."""
    return "" if value is None else f"{value:.0%}"


def percents(interval: tuple[float, float]) -> str:
    """An interval of shares in a cell."""
    return f"{interval[0]:.0%} to {interval[1]:.0%}"
