"""The command ``label``: the labelling page, and the way to other labelling tools and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sevenfold.commands import pages, places
from sevenfold.console import Console
from sevenfold.errors import DataError, RecipeError
from sevenfold.pipeline import stage_named
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.concord import concord
from sevenfold.prepare.labels.page.desk import Desk
from sevenfold.prepare.labels.queue import REVIEW_FILE
from sevenfold.prepare.labels.returning import Taken, detect, exchange_named, take
from sevenfold.prepare.labels.review import Asked, Queue, read_review

ANSWERS = "answers.jsonl"
AUTO = "auto"
STAGE = stage_named("prepare")


@dataclass(frozen=True)
class Wish:
    """What the command line asks for.

    Args:
        place: A run, or a file of rows.
        runs: The folder that holds all runs.
        asked: What is asked in place of what the queue says.
        answers: The answers file; None: beside the rows.
        annotator: Who answers; None: the system's user.
        overlap: The share of the rows that everyone is asked.
        port: Where to listen; 0: any free port.
    """

    place: str
    runs: Path
    asked: Asked
    answers: Path | None = None
    annotator: str | None = None
    overlap: float = 0.0
    port: int = 0

    def opened(self) -> tuple[Queue, Answers]:
        """The review and its answers.

        Raises:
            DataError: The rows cannot be used.
            RecipeError: There is no such place.
        """
        rows, beside = located(self.place, self.runs)
        return read_review(rows, self.asked), Answers(self.answers or beside)


def located(place: str, runs: Path) -> tuple[Path, Path]:
    """The rows behind a name, and where their answers go unless another file is named.

    The answers of a run lie in the run's folder, not in that of the stage, which a new dataset replaces.

    Args:
        place: A file of rows, or a run.
        runs: The folder that holds all runs.

    Raises:
        RecipeError: There is no such run or file, or the run has no queue.
    """
    path = Path(place)
    if path.is_file() or (path.suffix in (".jsonl", ".ndjson") and not (runs / place).exists()):
        of_run = path.name == REVIEW_FILE and path.absolute().parent.name == STAGE.folder(Path()).name
        return path, path.absolute().parent.parent / ANSWERS if of_run else path.with_name(f"{path.stem}.{ANSWERS}")
    run = places.run_folder(place, runs)
    queue = STAGE.folder(run) / REVIEW_FILE
    if not queue.is_file():
        raise RecipeError(
            f"the run {run.name!r} has no rows to review",
            where=str(queue),
            next_step="name a file of rows to label: sevenfold label ROWS.jsonl --labels positive,negative",
        )
    return queue, run / ANSWERS


def export(wish: Wish, form: str, file: Path) -> dict[str, Any]:
    """Write the rows for another tool; gives the object of ``--json``.

    Raises:
        RecipeError: There is no such format, or the file is that of the rows or of the answers.
        DataError: A text cannot be written.
    """
    review, answers = wish.opened()
    rows, _ = located(wish.place, wish.runs)
    if file.resolve() in (rows.resolve(), answers.path.resolve()):
        raise RecipeError(f"{file} would replace what is exported", next_step="name another file")
    try:
        written = exchange_named(form).write(review, file)
    except UnicodeEncodeError as error:
        raise DataError(
            "a text holds half of a surrogate pair, which no file of UTF-8 can", next_step="clean: [unicode] mends it"
        ) from error
    return {"format": form, "rows": len(review.items), "files": [str(path) for path in written]}


def bring(wish: Wish, form: str, file: Path) -> dict[str, Any]:
    """Take another tool's answers; gives the object of ``--json``.

    Raises:
        DataError: There is no such file, or it cannot be read.
    """
    if not file.is_file():
        raise DataError(f"there is no file {str(file)!r}", next_step="check the path")
    review, answers = wish.opened()
    exchange = detect(file) if form == AUTO else exchange_named(form)
    taken = take(exchange, file, review, answers, wish.annotator)
    name = type(exchange).__module__.rsplit(".", 1)[-1].replace("_", "-")
    return {"format": name, "answers": str(answers.path), **said(taken)}


def said(taken: Taken) -> dict[str, Any]:
    """What became of a file of answers."""
    odd = {reason: count for reason, count in taken.counts.items() if reason != "answers" and count}
    return {"taken": taken.counts["answers"], "not_taken": odd, "examples": taken.examples}


def show_export(found: dict[str, Any], console: Console) -> None:
    """Say what was written."""
    console.say(f"{found['rows']:,} rows for {found['format']}: {', '.join(found['files'])}")


def show_import(found: dict[str, Any], console: Console) -> None:
    """Say what was taken, and what was not and why."""
    console.say(f"{found['taken']:,} answers from {found['format']} are in {found['answers']}")
    for reason, count in found["not_taken"].items():
        named = found["examples"].get(reason)
        console.warn(f"not taken: {count:,} {reason}" + (f" (first: {', '.join(named)})" if named else ""))


def serve(wish: Wish, emit: Callable[[object], None] | None, console: Console) -> None:
    """Serve the page until Ctrl-C, and say how far the work is.

    Args:
        wish: What is asked for.
        emit: Told the address as one object; None: it is said on the console.
        console: Where everything is said.

    Raises:
        RecipeError: The share or the name is none.
    """
    if not 0 <= wish.overlap <= 1:
        raise RecipeError(f"--overlap {wish.overlap} is no share", expected="0 to 1, for example 0.2")
    name = pages.named(wish.annotator)
    review, answers = wish.opened()
    desk = Desk(review, answers, name, wish.overlap)
    if review.unfit:
        console.warn(
            f"{review.unfit:,} rows have a label that is none to choose from; it stands in their other columns"
        )
    pages.warn_broken(desk, console)
    pages.until_stopped(desk, wish.port, "rows to label", emit, console)
    leave(desk, console)


def leave(desk: Desk, console: Console) -> None:
    """Say where the answers are, and how far the annotators agree."""
    progress = desk.after(-1)["progress"]
    console.say(f"{progress['labelled']:,} labelled, {progress['skipped']:,} skipped, {progress['left']:,} left")
    console.say(f"the answers are in {desk.answers.path}; the same command goes on")
    found = concord(desk.answers.held)
    if len(found.annotators) > 1:
        console.say(found.line())


def summary(wish: Wish) -> dict[str, Any]:
    """How far the work is and how far the annotators agree; gives the object of ``--json``."""
    review, answers = wish.opened()
    found = concord(answers.held)
    return {"rows": len(review.items), "answers": str(answers.path), **asdict(found), "said": found.line()}


def show_summary(found: dict[str, Any], console: Console) -> None:
    """Say who answered how many rows, and the agreement."""
    for name, count in found["annotators"].items():
        console.say(f"{name}: {count:,} of {found['rows']:,} rows")
    console.say(f"{found['said']}; the answers are in {found['answers']}")
