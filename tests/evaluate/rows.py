"""Small datasets as the stage ``prepare`` leaves them."""

import json

import pyarrow

from sevenfold.chat.conversation import Conversation
from sevenfold.evaluate.report import ROWS_FILE
from sevenfold.prepare.dataset import Dataset, Row, arrow_schema, stored


def talk(question, reply):
    return [("user", question), ("assistant", reply)]


TASK = [talk(f"the data {i}", "the answer") for i in range(12)]
"""What the tuned model of these tests was taught."""


def dataset_of(folder, **splits):
    """A dataset with the given conversations, each a list of role and content."""
    folder.mkdir(exist_ok=True)
    for split, rows in splits.items():
        kept = [
            stored(Row(Conversation.of([{"role": r, "content": c} for r, c in row]), f"rows.jsonl:{i + 1}"))
            for i, row in enumerate(rows)
        ]
        schema = arrow_schema()
        with pyarrow.ipc.new_file(str(folder / f"{split}.arrow"), schema) as writer:
            writer.write_table(pyarrow.Table.from_pylist(kept, schema=schema))
    return Dataset(counts={split: len(rows) for split, rows in splits.items()}).save(folder)


def lines(path):
    """The objects of a file with one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rows_of(report):
    """What a report's file says of each row."""
    return lines(report.folder / ROWS_FILE)
