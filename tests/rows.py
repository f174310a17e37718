"""Small conversations and a dataset of them, as the stage ``prepare`` would write it."""

from __future__ import annotations

from pathlib import Path

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.dataset import Dataset, Row, arrow_schema, stored

WORDS = ["the", "model", "reads", "data", "and", "writes", "answers", "while", "people", "watch", "it", "learn"]


def conversation(number: int) -> Conversation:
    """A conversation whose length grows with its number; every third has two replies."""
    turns = [
        {"role": "user", "content": f"say {number}: " + " ".join(WORDS[: 1 + number % 7])},
        {"role": "assistant", "content": " ".join(WORDS[number % 5 : number % 5 + 2 + number % 9])},
    ]
    if number % 3 == 0:
        turns += [{"role": "user", "content": "سلام"}, {"role": "assistant", "content": "سلام دنیا"}]
    return Conversation.of(turns)


def write_split(dataset: Dataset, split: str, rows: list[Row]) -> None:
    """One Arrow file, as the stage ``prepare`` writes it."""
    import pyarrow as pa

    schema = arrow_schema()
    with pa.OSFile(str(dataset.path(split)), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(pa.Table.from_pylist([stored(row) for row in rows], schema=schema))


def make_dataset(folder: Path) -> Dataset:
    """Twenty training rows, six validation rows and six test rows in ``folder``."""
    rows = [Row(conversation(number), f"made:{number}") for number in range(32)]
    folder.mkdir()
    result = Dataset(counts={"train": 20, "validation": 6, "test": 6}).save(folder)
    write_split(result, "train", rows[:20])
    write_split(result, "validation", rows[20:26])
    write_split(result, "test", rows[26:])
    return result
