"""What a run's folder holds: the record and the stages' files, read once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sevenfold.record import Record, StageRecord

if TYPE_CHECKING:
    from sevenfold.recipe import Recipe

RECORD_FILE = "record.json"
ORDER = ("prepare", "load", "setup", "tune", "evaluate", "deploy", "monitor")


@dataclass
class Facts:
    """A run's files.

    Args:
        record: The run's record.
        recipe: The recipe, for the resolved values and their origins.
    """

    record: Record
    recipe: Recipe

    @property
    def stages(self) -> list[StageRecord]:
        """The stages that ran, in order."""
        return [self.record.stages[name] for name in ORDER if name in self.record.stages]

    def stage(self, name: str) -> StageRecord | None:
        """A stage's record."""
        return self.record.stages.get(name)

    def path(self, stage: str, file: str) -> str:
        """A stage's file as the report names it, relative to the run's folder."""
        return f"{ORDER.index(stage) + 1}-{stage}/{file}"

    def json(self, stage: str, file: str = "result.json") -> dict[str, Any] | None:
        """A stage's file, or None where it is not there."""
        path = self.record.folder / self.path(stage, file)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def lines(self, stage: str, file: str) -> list[dict[str, Any]]:
        """A stage's file with one JSON object a line; empty where it is not there."""
        path = self.record.folder / self.path(stage, file)
        return list(whole_lines(path)) if path.is_file() else []

    TOKENS_FILE: ClassVar[str] = "tokens.json"

    @cached_property
    def tokens(self) -> dict[str, Any] | None:
        """How the rows fit the model's tokenizer; None where it is not known of the rows and the model of now."""
        path = self.record.folder / self.TOKENS_FILE
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stages = {name: stage.identity for name in ("prepare", "load") if (stage := self.stage(name))}
        return found if stages == {name: found["of"].get(name) for name in stages} else None

    @cached_property
    def evaluation(self) -> dict[str, Any] | None:
        """The stage evaluate's report."""
        return self.json("evaluate")

    @cached_property
    def tuned(self) -> dict[str, Any] | None:
        """The stage tune's result."""
        return self.json("tune")

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """The training's steps."""
        return self.lines("tune", "history.jsonl")

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The evaluated rows."""
        return self.lines("evaluate", "rows.jsonl")

    @property
    def proofs(self) -> list[tuple[str, dict[str, Any]]]:
        """Every proof with the stage that it belongs to."""
        return [(stage.name, proof) for stage in self.stages for proof in stage.proofs]

    @property
    def stale(self) -> list[str]:
        """Stages whose inputs were made again since, so that they speak of something older."""
        known = {stage.name: stage.identity for stage in self.stages}
        old: list[str] = []
        for stage in self.stages:
            changed = any(known.get(name) != identity for name, identity in stage.parents.items())
            if changed or any(name in old for name in stage.parents):
                old.append(stage.name)
        return old


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file that were written to their end; a stage that failed may have left half a line."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].split("\n") if line]
