"""What an adapter was trained on, in a file beside it: base, method, task and the form of its prompts.

``sevenfold.json`` lies beside ``adapter_config.json``; PEFT does not look at it. No text of a row is kept but what all
prompts begin and end with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import combinations, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.record import digest, write_json

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset, Row
    from sevenfold.tune.section import TuneSection
    from sevenfold.tune.several.files import LoraFile

FILE = "sevenfold.json"
ROWS, READ = 64, 4096
"""Prompts of a task that are looked at, and rows that are read to find them."""


def write(folder: Path, section: TuneSection, model: Model, dataset: Dataset) -> None:
    """Write the file beside what a method has saved: of each task where tasks have folders, else of all rows.

    Args:
        folder: What the method's ``save`` filled.
        section: The training's section.
        model: The base model; its template makes the prompts.
        dataset: The rows.
    """
    from sevenfold.tune.methods import METHODS

    encoder, routing = model.encoder(), section.method.routing()
    by_task: dict[int, list[str]] = {}
    for row in first_rows(dataset):
        prompts = by_task.setdefault(routing.task(row) if routing else 0, [])
        if len(prompts) < ROWS:
            prompts.append(prompt_of(row, encoder))
    common = {
        "base": model.card.name,
        "method": METHODS.name_of(section.method),
        "template": digest(encoder.tokenizer.chat_template),
    }
    for number, task in enumerate(routing.tasks if routing else ("",)):
        record = {**common, "task": task or None, "prompts": frame(by_task.get(number, []))}
        if task and (folder / task).is_dir():
            write_json(folder / task / FILE, record)
        if number == (routing.answers if routing else 0):
            write_json(folder / FILE, record)


def first_rows(dataset: Dataset) -> Iterable[Row]:
    """The rows that are looked at."""
    return dataset.head("train", READ)


def prompt_of(row: Row, encoder: Encoder) -> str:
    """What a server would send to get a row's last reply; nothing where the row is a text that nobody asks for."""
    asked = row.conversation.prompt()
    return encoder.render(asked, reply_follows=True) if asked else ""


def frame(prompts: Sequence[str]) -> dict[str, Any]:
    """What all prompts begin and end with: the template's markers, a system message, a task's tag or wording."""
    if not prompts:
        return {"count": 0, "before": "", "behind": ""}
    before = common(prompts)
    # What is left of the shortest prompt, so that no letter counts twice.
    left = min(len(prompt) for prompt in prompts) - len(before)
    behind = common([prompt[::-1] for prompt in prompts])[:left][::-1]
    return {"count": len(prompts), "before": before, "behind": behind}


def common(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    letters = takewhile(lambda found: len(set(found)) == 1, zip(*texts, strict=False))
    return "".join(found[0] for found in letters)


def read(folder: Path) -> dict[str, Any]:
    """The file beside an adapter; empty where there is none."""
    path = folder / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def shared_formats(folders: Sequence[Path]) -> list[str]:
    """A warning for every two adapters whose prompts looked alike, and one for those that do not say.

    Adapters that were trained on prompts of one form cannot be told apart by the prompt once they are merged: which one
    sets the tone is then left to their weights.
    """
    records = {folder: read(folder) for folder in folders}
    known = [folder for folder in folders if records[folder].get("prompts", {}).get("count")]
    warnings = [
        f"{called(one)} and {called(other)} were trained with the same form of prompts "
        f"({shown(records[one]['prompts'])}): merged, nothing in a prompt says which one is meant; a tag at the start "
        "of each task's prompts, such as [translate], keeps them apart"
        for one, other in combinations(known, 2)
        if alike(records[one], records[other])
    ]
    silent = [called(folder) for folder in folders if folder not in known]
    if silent:
        warnings.append(f"the form of the prompts is not known of {', '.join(silent)}: there is no {FILE} that says it")
    return warnings


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two adapters were trained with one template and one frame."""
    first, second = one["prompts"], other["prompts"]
    same = all(first[side] == second[side] for side in ("before", "behind"))
    return bool(same and one.get("template") == other.get("template"))


def called(folder: Path) -> str:
    """An adapter's name in a message: its task, or its folder."""
    return str(read(folder).get("task") or folder)


def shown(prompts: dict[str, Any]) -> str:
    """A frame in a message."""
    return f"{prompts['before'][-40:]!r} ... {prompts['behind'][:40]!r}"


def write_merge(
    folder: Path, parents: Sequence[LoraFile], weights: Sequence[float], how: str, fields: dict[str, Any], seed: int
) -> None:
    """Write the file beside a merged adapter: its parents with their own files, and how they were combined."""
    listed = [
        {"folder": str(parent.folder), "weight": weight, **read(parent.folder)}
        for parent, weight in zip(parents, weights, strict=True)
    ]
    record = {"base": parents[0].base, "method": "merge", "how": {how: fields}, "seed": seed, "parents": listed}
    write_json(folder / FILE, record)
