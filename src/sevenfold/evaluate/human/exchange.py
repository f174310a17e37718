"""Duels for people without the tool, and their judgements back: a table, JSON lines, or the page in one file."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sevenfold.errors import DataError
from sevenfold.evaluate.human.contest import Contest
from sevenfold.evaluate.human.desk import JudgeDesk
from sevenfold.evaluate.human.form import write_form
from sevenfold.evaluate.human.judgements import (
    Judgement,
    Judgements,
    Scales,
    checked_choice,
    checked_scales,
)
from sevenfold.page.answers import now, seconds_of
from sevenfold.page.sheets import ENCODING, harmless, table
from sevenfold.record import writing

FORMS = (".csv", ".jsonl", ".html")
READ = (".csv", ".jsonl", ".json")
WORDS = {"1": "left", "2": "right", "0": "both", "9": "neither"}
"""The page's keys, which may stand for choices in a table."""
SKIP = "skip"
EXAMPLES = 3


@dataclass
class Taken:
    """What became of a file of judgements.

    Args:
        taken: Judgements that were new.
        not_taken: Reason to the number of lines.
        examples: Reason to the first of them.
    """

    taken: int = 0
    not_taken: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, reason: str, example: str) -> None:
        """Count a line that is not taken."""
        self.not_taken[reason] += 1
        named = self.examples.setdefault(reason, [])
        if example and example not in named and len(named) < EXAMPLES:
            named.append(example)


def export(desk: JudgeDesk, path: Path) -> None:
    """Write the duels as the file's name asks: ``.csv``, ``.jsonl`` or ``.html``.

    Raises:
        DataError: The name asks for none of these.
    """
    if path.suffix == ".html":
        write_form(desk, path)
    elif path.suffix == ".jsonl":
        with writing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            # Escaped, so that half of a surrogate pair in a text can be written too.
            file.writelines(json.dumps(line) + "\n" for line in lines(desk))
    elif path.suffix == ".csv":
        write_table(desk, path)
    else:
        raise DataError(f"{path.name!r} names no format", value=path.suffix, alternatives=FORMS)


def lines(desk: JudgeDesk) -> Iterator[dict[str, Any]]:
    """Each duel as it is shown, with empty fields to be filled in."""
    for place in range(len(desk.origins)):
        scales = {name: [None, None] for name in desk.asked.scales}
        blank = {"choice": None, "scales": scales, "note": "", "annotator": desk.annotator}
        yield {"question": desk.asked.criteria, **desk.shown(place), **blank}


def write_table(desk: JudgeDesk, path: Path) -> None:
    """A table with a row for each duel; ``choice`` is to be filled in with left, right, both, neither or skip."""
    marks = [f"{name} {side}" for name in desk.asked.scales for side in ("left", "right")]
    head = ["origin", "left_id", "prompt", "left", "right", "reference", "choice", *marks, "note", "annotator"]
    with writing(path) as temporary, temporary.open("w", encoding=ENCODING, newline="", errors="replace") as file:
        sheet = csv.writer(file)
        sheet.writerow(map(harmless, head))
        for line in lines(desk):
            prompt = "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in line["prompt"])
            texts = [prompt, line["left"], line["right"], line["reference"] or ""]
            cells = [line["origin"], line["left_id"], *texts, "", *([""] * len(marks)), "", desk.annotator]
            sheet.writerow(map(harmless, cells))


def take(path: Path, contest: Contest, judgements: Judgements, annotator: str) -> Taken:
    """Keep what a file of judgements says; what does not fit is counted with its reason. Twice adds nothing.

    Args:
        path: A filled table, JSON lines, or the results of a page.
        contest: The duels.
        judgements: Where they are kept.
        annotator: Who judged, where the file does not say.

    Raises:
        DataError: There is no such file, or it is of no format.
    """
    if not path.is_file():
        raise DataError(f"there is no file {str(path)!r}", next_step="check the path")
    found, kept = Taken(), []
    for row in rows_of(path):
        try:
            judgement = judgement_of(row, annotator)
        except DataError as error:
            found.refuse("unfit", error.problem)
            continue
        place = contest.places.get(judgement.origin)
        if place is None:
            found.refuse("of other answers", judgement.origin)
        elif judgement.left not in contest.duels[place].digests:
            found.refuse("without the answer on the left", judgement.origin)
        elif not row.get("choice") and not row.get("at"):
            found.refuse("not answered", judgement.origin)
        elif judgement.same(judgements.of(judgement.origin, judgement.annotator)):
            found.refuse("already there", "")
        else:
            kept.append(judgement)
    judgements.append(kept)
    found.taken = len(kept)
    return found


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The judgements of a file as JSON objects.

    Raises:
        DataError: It is of no format.
    """
    if path.suffix == ".csv":
        yield from map(from_cells, table(path, "choice"))
        return
    if path.suffix not in READ:
        raise DataError(f"{path.name!r} names no format", value=path.suffix, alternatives=READ)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            form = json.loads(text)
            found = [{"annotator": form["annotator"], **answer} for answer in form["answers"]]
        else:
            found = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError("the file cannot be read as judgements", where=str(path)) from error
    for row in found:
        yield row if isinstance(row, dict) else {}


def from_cells(cells: dict[str, str | None]) -> dict[str, Any]:
    """A table's row as the object that it stands for."""
    said = {name: (cell or "").strip() for name, cell in cells.items() if isinstance(name, str)}
    sides = {name.rsplit(" ", 1)[0]: [None, None] for name in said if name.endswith((" left", " right"))}
    scales: dict[str, list[Any]] = {
        name: [whole(said.get(f"{name} {side}", "")) for side in ("left", "right")] for name in sides
    }
    return {**said, "left": said.get("left_id", ""), "left_id": said.get("left_id", ""), "scales": scales}


def whole(cell: str) -> int | str | None:
    """A mark as it stands in a cell."""
    return None if not cell else int(cell) if cell.isascii() and cell.isdigit() else cell


def judgement_of(row: dict[str, Any], annotator: str) -> Judgement:
    """The judgement that an object says.

    Raises:
        DataError: It is none.
    """
    choice = row.get("choice")
    choice = WORDS.get(str(choice).strip().lower(), choice) if choice is not None else None
    choice = choice.strip().lower() if isinstance(choice, str) else choice
    scales: Scales = checked_scales(row.get("scales") or {})
    return Judgement(
        str(row.get("origin") or ""),
        str(row.get("left_id") or row.get("left") or ""),
        None if choice in ("", SKIP, None) else checked_choice(choice),
        str(row.get("annotator") or "").strip() or annotator,
        seconds_of(row.get("seconds")),
        str(row.get("at") or "") or now(),
        str(row.get("note") or ""),
        scales,
    )
