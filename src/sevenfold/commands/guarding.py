"""The command ``guard``: what a guard says of a text or of rows, how good it is, and a head of one's own."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.console import Console
from sevenfold.errors import DataError, RecipeError
from sevenfold.guard import GUARDS, Guard, Judgement, Side
from sevenfold.schema import Chosen

BATCH = 64
SUFFIXES = (".jsonl", ".csv")


@dataclass(frozen=True)
class Asked:
    """One row.

    Args:
        conversation: What is judged.
        label: What is right; empty where the row does not say.
        group: The group that figures are split by; empty where there is none.
    """

    conversation: Conversation
    label: str
    group: str


def chosen(written: str) -> Guard:
    """The guard that an option names: ``rules``, or with fields ``{linear: {threshold: 0.7}}``.

    Raises:
        RecipeError: There is no such guard, or its fields are wrong.
    """
    try:
        value = yaml.safe_load(written)
    except yaml.YAMLError as error:
        raise RecipeError(f"--guard {written!r} cannot be read: {error}", alternatives=GUARDS.names()) from None
    found = Chosen(GUARDS).choose(value)
    assert isinstance(found, Guard)
    return found


def rows_of(what: str, side: Side, label: str, group: str) -> list[Asked]:
    """The rows of a file, or one row that is the text itself.

    Raises:
        DataError: The file is no list of rows, or a row has no text.
    """
    path = Path(what)
    if not what.endswith(SUFFIXES):
        return [Asked(as_conversation({"text": what}, side, "the text"), "", "")]
    if not path.is_file():
        raise DataError(f"there is no file {what!r}", where=what, next_step="check the path")
    return [
        Asked(as_conversation(values, side, where), str(values.get(label) or ""), str(values.get(group) or ""))
        for where, values in lines(path)
    ]


def lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row with its place.

    Raises:
        DataError: A line is no JSON object, or the file is no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the rows cannot be read: {error}", where=str(path), expected="UTF-8 text") from None
    if path.suffix == ".csv":
        for number, values in enumerate(csv.DictReader(text.splitlines(keepends=True)), start=2):
            yield f"{path}:{number}", dict(values)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise DataError(f"the line is no JSON: {error}", where=f"{path}:{number}") from None
        if not isinstance(found, dict):
            raise DataError("the line is no row", where=f"{path}:{number}", expected="a JSON object")
        yield f"{path}:{number}", found


def as_conversation(values: dict[str, Any], side: Side, where: str) -> Conversation:
    """A row as a conversation: ``messages``, ``prompt`` and ``response``, or a ``text`` on the side that is judged.

    Raises:
        DataError: It has none of these.
    """
    messages = values.get("messages")
    if isinstance(messages, list) and messages:
        try:
            return Conversation.of(messages)
        except (KeyError, TypeError, ValueError):
            raise DataError("the messages have no role and content", where=where) from None
    role = "user" if side == "prompt" else "assistant"
    said = [("user", values.get("prompt")), ("assistant", values.get("response")), (role, values.get("text"))]
    found = tuple(Message(who, str(what)) for who, what in said if what not in (None, ""))
    if not found:
        raise DataError("the row has nothing to judge", where=where, expected="text, prompt and response, or messages")
    return Conversation(found)


def run(guard: Guard, rows: list[Asked], side: Side, console: Console) -> dict[str, Any]:
    """Judge all rows; where every row has a label, measure the guard too.

    Raises:
        SevenfoldError: The guard cannot judge.
    """
    from sevenfold.guard.measure import measured

    judged: list[Judgement] = []
    with guard.open() as opened, console.task("judging", len(rows)) as task:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            judged += opened.judge([one.conversation for one in batch], side)
            task.advance(len(batch))
    labelled = sum(bool(one.label) for one in rows)
    found: dict[str, Any] = {
        "guard": GUARDS.name_of(guard),
        "side": side,
        "rows": len(rows),
        "unsafe": sum(not one.safe for one in judged),
        "could_not_judge": sum(one.failed for one in judged),
        "rows_without_label": len(rows) - labelled,
        "judgements": [one.as_json() for one in judged],
    }
    if labelled:
        pairs = [(one, row) for one, row in zip(judged, rows, strict=True) if row.label]
        groups = [row.group for _, row in pairs] if any(row.group for _, row in pairs) else []
        found["quality"] = measured([one for one, _ in pairs], [row.label for _, row in pairs], groups=groups)
    return found


def fit(rows: list[Asked], side: Side, target: Path, vectors: str = "e5") -> dict[str, Any]:
    """Learn a linear head from labelled rows and write it.

    Raises:
        DataError: A row has no label.
        ModelError: The labels do not make a guard.
    """
    from sevenfold.guard import judged_text
    from sevenfold.guard.head import fitted
    from sevenfold.record import writing
    from sevenfold.vectors import VECTORS

    missing = sum(not row.label for row in rows)
    if missing:
        raise DataError(f"{missing} of {len(rows)} rows have no label", expected="safe, or a category, in every row")
    found = VECTORS.find(vectors)().of([judged_text(row.conversation, side) for row in rows])
    head = fitted(found, [row.label for row in rows], vectors)
    with writing(target) as temporary:
        temporary.write_text(head.as_json(), encoding="utf-8")
    return {"head": str(target), "rows": len(rows), "labels": list(head.labels), "bytes": target.stat().st_size}


def show(found: dict[str, Any], console: Console, most: int = 20) -> None:
    """Few judgements one by one, and the quality as a table."""
    for one in found["judgements"][:most]:
        named = ", ".join(flag["name"] for flag in one["categories"])
        console.say(f"{'safe' if one['safe'] else 'UNSAFE'}  {one['score']:.3f}  {named}  ({one['why']})")
    if len(found["judgements"]) > most:
        console.say(f"... {len(found['judgements']) - most} more; --json shows all")
    console.say(f"{found['unsafe']} of {found['rows']} unsafe, {found['could_not_judge']} could not be judged")
    if "quality" in found:
        console.table(f"quality of {found['guard']}", ["", "value", "95 %", "rows"], quality(found["quality"]))
        if found["rows_without_label"]:
            console.warn(f"{found['rows_without_label']} rows without a label are not measured")


def quality(found: dict[str, Any], group: str = "") -> Iterator[list[str]]:
    """The lines of the table, groups below the whole."""
    for name in ("accuracy", "precision", "recall", "false_alarms", "f1", "auc"):
        yield line(f"{group}{name.replace('_', ' ')}", found[name])
    for category, figures in found["categories"].items():
        yield line(f"{group}recall of {category}", figures["recall"])
    for name, inner in found.get("groups", {}).items():
        yield from quality(inner, f"{name}: ")


def line(name: str, figure: dict[str, Any]) -> list[str]:
    """One figure."""
    if figure["value"] is None:
        return [name, "no rows say it", "", str(figure["rows"])]
    low, high = figure["interval"]
    return [name, f"{figure['value']:.3f}", f"{low:.3f} to {high:.3f}", str(figure["rows"])]
