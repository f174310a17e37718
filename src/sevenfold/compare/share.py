"""Rows and model cards that several runs of a comparison share: prepared by the first, linked into the others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from sevenfold.pipeline import STAGE_FILE, Run, Stage, stage_named
from sevenfold.record import RESULT_FILE, StageRecord

SHARED = ("prepare", "load")
"""Stages whose results are the same for every run with the same sections; files in them never change in place."""


def lend(run: Run, others: Iterable[Path]) -> None:
    """Give a run what another one prepared and loaded, where it would make the same.

    Args:
        run: Gets the folders that it does not have.
        others: Folders of runs.
    """
    folders = list(others)
    for stage in map(stage_named, SHARED):
        place = stage.folder(run.folder)
        source = next((found for other in folders if (found := lent(stage, other, run.identity(stage)))), None)
        if source is not None and not place.exists():
            link(source, place)


def lent(stage: Stage, run: Path, identity: str) -> Path | None:
    """The folder of a stage in a run, if it is done and has an identity."""
    folder = stage.folder(run)
    if not (folder / STAGE_FILE).is_file() or not (folder / RESULT_FILE).is_file():
        return None
    kept = StageRecord.model_validate_json((folder / STAGE_FILE).read_text(encoding="utf-8"))
    return folder if kept.state == "done" and kept.identity == identity else None


def link(source: Path, place: Path) -> None:
    """The same files under another name: whole or not at all."""
    temporary = place.with_name(f".{place.name}.linked")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(source, temporary, copy_function=hard_link)
    temporary.rename(place)


def hard_link(source: str, target: str) -> None:
    """One more name for a file, or a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
