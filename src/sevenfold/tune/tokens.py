"""A split as tokens, from the cache: encoded once for all runs that would make the same of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

from sevenfold import cache
from sevenfold.load.model import Model
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.record import Entry, code_digest, digest, file_digest
from sevenfold.tune.section import TuneSection

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder
    from sevenfold.tune.encoded import Encoded, Lengths

KIND, NAME = "tokens", "rows"
"""The cache's folder, and the first name of the files in it."""
LIMIT = 20_000_000_000
"""Bytes of tokens that the cache keeps, 8 a token and the lists beside; what was not used for longest goes."""


def encoded_split(split: str, section: TuneSection, dataset: Dataset, model: Model, entry: Entry) -> Encoded:
    """A split as tokens on disk; says what is too long before anything is cut.

    The files lie in the cache under :func:`content_key`. A run needs none of them to resume: where they are gone they
    are made again, with the same bits.

    Args:
        split: One of :data:`sevenfold.prepare.dataset.SPLITS`.
        section: Says the objective, the limit and what to do with longer rows.
        dataset: The rows.
        model: Its tokenizer, template and stop tokens.
        entry: Gets the counts, and lists of the rows that are cut or left out.

    Raises:
        DataError: A row is too long and the recipe refuses that.
        ModelError: The chat template refuses a row.
        MachineError: The cache cannot be written.
    """
    from sevenfold.tune.encoded import Encoded, Lengths, encode

    def make(folder: Path) -> None:
        encode(counted(split, dataset, entry), section, led_encoder(section, model), folder, NAME)

    folder = cache.kept(KIND, content_key(split, section, dataset, model), make)
    cache.trim(KIND, LIMIT)
    lengths = Lengths.read(folder, NAME)
    tell(lengths, split, section, entry)
    for listing in listings(lengths):
        (entry.folder / "encoded").mkdir(parents=True, exist_ok=True)
        copyfile(folder / f"{NAME}.{listing}", entry.folder / "encoded" / f"{split}.{listing}")
    return Encoded(folder, NAME)


def led_encoder(section: TuneSection, model: Model) -> Encoder:
    """The model's encoder, with the virtual tokens that the method puts before every conversation."""
    return model.encoder(section.method.lead(model.card.vocabulary))


def content_key(split: str, section: TuneSection, dataset: Dataset, model: Model) -> str:
    """The hash of everything that decides a split's tokens: rows, tokenizer, what is asked of them, and the code."""
    objective = sys.modules[type(section.objective).__module__].__file__
    return digest(
        {
            "rows": cache.remembered_digest(dataset.path(split)) if dataset.counts.get(split) else None,
            "tokenizer": {path.name: file_digest(path) for path in model.tokenizer_folder.iterdir()},
            "stop": sorted(model.stop_ids),
            "lead": section.method.lead(model.card.vocabulary),
            "routing": asdict(routing) if (routing := section.method.routing()) else None,
            "section": section.model_dump(mode="json", include={"objective", "max_length", "overlong", "balanced"}),
            "marks": [term.model_dump(mode="json") for term in section.beside if term.column],
            "objective": file_digest(Path(str(objective))),
            "code": code_digest("chat", "tune"),
            "versions": {name: version(name) for name in ("tokenizers", "transformers", "jinja2")},
        }
    )


def counted(split: str, dataset: Dataset, entry: Entry) -> Iterator[Row]:
    """The rows of a split, with a bar that moves every thousand."""
    rows = dataset.counts.get(split, 0)
    with entry.console.task(f"{split} to tokens (rows)", rows) as bar:
        for number, row in enumerate(dataset.rows(split), 1):
            yield row
            if number % 1000 == 0 or number == rows:
                bar.advance((number - 1) % 1000 + 1)


def tell(lengths: Lengths, split: str, section: TuneSection, entry: Entry) -> None:
    """Put the counts into the record, and say what was cut or left out."""
    if split == "train":
        entry.metric("train_rows", lengths.rows)
        entry.metric("train_tokens", lengths.tokens)
        entry.metric("train_targets", lengths.supervised)
        entry.metric("longest_tokens", lengths.longest)
    tell_tasks(lengths, split, section, entry)
    if lengths.overlong:
        verb = {"drop": "left out", "cut": "cut"}[section.overlong]
        entry.warn(
            f"{lengths.overlong} {split} rows are over tune.max_length = {section.max_length} tokens "
            f"(longest {lengths.longest}) and {verb}; listed in {split}.overlong.json"
        )
    if lengths.unsupervised:
        entry.warn(f"{lengths.unsupervised} {split} rows have nothing to learn; listed in {split}.empty.json")


def tell_tasks(lengths: Lengths, split: str, section: TuneSection, entry: Entry) -> None:
    """Say how many rows each task has, where tasks are told apart; one without rows learns nothing."""
    routing = section.method.routing()
    if routing and len(routing.tasks) > 1 and lengths.rows:
        counts = {task: lengths.tasks.get(task, 0) for task in routing.tasks}
        entry.note(f"{split} rows by task: {', '.join(f'{task} {count:,}' for task, count in counts.items())}")
        for task in (task for task, count in counts.items() if not count and split == "train"):
            entry.warn(f"no row is of the task {task!r}: its adapter stays as it begins")


def listings(lengths: Lengths) -> list[str]:
    """The lists that have entries."""
    return ["overlong.json"] * bool(lengths.overlong) + ["empty.json"] * bool(lengths.unsupervised)
