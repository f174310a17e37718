"""What the base model gave, kept for every run that would ask it the same: the base is asked once, not once a training.

The cache holds the file ``base.jsonl`` of the stage's folder under a hash of everything that decides what is in it.
"""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold import cache
from sevenfold.evaluate.checks import check_name
from sevenfold.record import code_digest, digest, file_digest, writing

if TYPE_CHECKING:
    from sevenfold.evaluate.measure import Work
    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.tuned import Tuned

KIND, FILE = "answers", "base.jsonl"
"""The cache's folder, and the file's name there and in the stage's folder."""
LIMIT = 1_000_000_000
"""Bytes that the cache keeps; what was not asked for longest goes."""


def content_key(
    work: Work,
    section: EvaluateSection,
    dataset: Dataset,
    model: Model,
    environment: Environment,
    tuned: Tuned,
) -> str:
    """The hash of everything that the base's answers and likelihoods depend on.

    That is the objective too where it says how the base is asked: where it does not write, or is no writer.
    """
    objective = tuned.chosen_objective()
    says = objective.answers_untuned or not objective.writes
    weights = model.weights
    return digest(
        {
            "questions": [[one.number, one.prompt_ids, one.sequence.ids] for one in work.questions],
            "rejected": [one.rejected.ids for one in work.questions if one.rejected] if work.judged else [],
            "passages": [one.ids for one in work.passages],
            "asked": [work.answered, work.scored, work.ranked, work.prompted, work.reread],
            "sizes": [section.max_new_tokens, section.batch],
            "checks": [{check_name(check): check.model_dump(mode="json")} for check in section.checks],
            "rows": rows_of(dataset) if section.checks else {},
            "objective": tuned.objective if says else None,
            "weights": {path.name: cache.remembered_digest(path) for path in sorted(weights.glob("*.safetensors"))},
            "config": {path.name: file_digest(path) for path in sorted(weights.glob("*config.json"))},
            "stop": sorted(model.stop_ids),
            "tokenizer": {path.name: file_digest(path) for path in sorted(model.tokenizer_folder.iterdir())},
            "environment": environment.model_dump(include={"device", "precision", "threads", "deterministic"}),
            "machine": {name: environment.machine.get(name) for name in ("processor", "processor_features", "gpu")},
            "code": code_digest("evaluate", "generate", "chat", "load", *(["tune"] if says else [])),
            "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        }
    )


def rows_of(dataset: Dataset) -> dict[str, str]:
    """The digest of each split, any of which a check may read."""
    return {split: cache.remembered_digest(dataset.path(split)) for split, count in dataset.counts.items() if count}


def lend(key: str, entry: Entry) -> None:
    """Put what is known of the base into the stage's folder, unless this run has begun to ask it itself."""
    kept, place = cache.found(KIND, key), entry.folder / FILE
    if kept is not None and not place.exists():
        entry.note("the base was asked the same in an earlier run; its results are taken from there")
        with writing(place) as temporary:
            shutil.copyfile(kept / FILE, temporary)


def keep(key: str, entry: Entry) -> None:
    """Keep what the base gave in this run."""

    def make(folder: Path) -> None:
        shutil.copyfile(entry.folder / FILE, folder / FILE)

    cache.kept(KIND, key, make)
    cache.trim(KIND, LIMIT)
