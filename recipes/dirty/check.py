"""Hold what a run found against what was planted.

    python recipes/dirty/check.py dirty-data runs/dirty runs/dirty-clean

Both runs clean alike, one the dirty rows, one the same rows before they were spoilt. A defect that a step repairs is
found where both end with the same text; one that a step drops, where the row was dropped for it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sevenfold.prepare.dataset import SPLITS, Dataset

REPAIRED = ("mojibake", "html", "arabic letters", "white space", "repeated opening")
DROPPED = {
    "empty reply": "empty_reply",
    "missing value": "missing_value",
    "junk": "few_alphabetic_words",
    "too long": "too_long",
    "duplicate": "duplicate",
    "near-duplicate": "near_duplicate",
    "leak": "leak",
}
"""Defect to the reason for which its rows are dropped."""


LATER = ("near_duplicate", "leak", "mislabelled", "semantic_duplicate", "not_selected")
"""Reasons for which rows are dropped when they are clean already."""


@dataclass(frozen=True)
class End:
    """How a row ended.

    Args:
        text: What it says.
        fields: Its columns.
        side: Its split; empty for one that was dropped when it was clean already.
    """

    text: str
    fields: dict[str, str]
    side: str = ""


@dataclass
class Run:
    """A run's rows by the ids that they have in the sources.

    Args:
        folder: The run.
    """

    folder: Path

    @cached_property
    def rows(self) -> dict[str, End]:
        """The rows that got through the cleaning; those that were made of them are left out."""
        dataset = Dataset.open(self.folder / "1-prepare")
        found = {}
        for side in SPLITS:
            for row in dataset.rows(side):
                if not row.made_by:
                    text = "\n".join(message.content for message in row.conversation.messages)
                    found[row.fields["id"]] = End(text, row.fields, side)
        for line in self.lines():
            if line["reason"] in LATER:
                text = "\n".join(message["content"] for message in line["messages"])
                found[line["fields"]["id"]] = End(text, line["fields"])
        return found

    @cached_property
    def dropped(self) -> dict[str, list[str]]:
        """Reason to the ids of the rows that were dropped for it."""
        found: dict[str, list[str]] = {}
        for line in self.lines():
            columns = line.get("fields") or line.get("values") or {}
            found.setdefault(line["reason"], []).append(columns.get("id", line["origin"]))
        return found

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines of ``dropped.jsonl``."""
        with (self.folder / "1-prepare" / "dropped.jsonl").open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    def text(self, key: str) -> str:
        """What a row says in the end."""
        return self.rows[key].text


@dataclass(frozen=True)
class Line:
    """One defect.

    Args:
        name: Its name.
        planted: Rows that have it.
        found: Rows in which it was found.
        others: Rows that were called so and were not planted.
        lost: Planted rows that cannot be judged: they were held out, or dropped for another reason.
        means: What these and the others are.
    """

    name: str
    planted: int
    found: int
    others: int = 0
    lost: int = 0
    means: str = ""


def repaired(name: str, ids: list[str], dirty: Run, clean: Run) -> Line:
    """A defect that a step repairs."""
    both = [key for key in ids if key in dirty.rows and key in clean.rows]
    # The step that cuts an opening writes the letter behind it large.
    same = sum(dirty.text(key).casefold() == clean.text(key).casefold() for key in both)
    gone = len(ids) - len(both)
    return Line(name, len(ids), same, lost=gone, means=f"{gone} dropped for another reason" if gone else "")


def dropped(name: str, ids: list[str], dirty: Run, clean: Run) -> Line:
    """A defect for which a row is dropped; a copy is found when either of the two went."""
    reason = DROPPED[name]
    gone = dirty.dropped.get(reason, [])
    either = {key.removesuffix("-again") for key in gone}
    found = [key for key in ids if key.removesuffix("-again") in either]
    others = [key for key in gone if key.removesuffix("-again") not in {one.removesuffix("-again") for one in ids}]
    held = sum(key in dirty.rows and dirty.rows[key].side != "train" and key not in found for key in ids)
    before = set(clean.dropped.get(reason, []))
    real = sum(key in before for key in others)
    means = [f"{real} of the others are so before any defect"] if real else []
    lost = held if name == "leak" else 0
    if lost:
        means.append(f"{lost} of the planted held out itself")
    return Line(name, len(ids), len(found), len(others), lost, "; ".join(means))


def masked(name: str, ids: list[str], dirty: Run) -> Line:
    """Personal data of a kind: found where its placeholder stands."""
    mark = f"[{name.removeprefix('personal: ').upper()}_"
    there = [key for key in ids if key in dirty.rows]
    others = [key for key in dirty.rows if key not in ids and mark in dirty.text(key)]
    gone = len(ids) - len(there)
    found = sum(mark in dirty.text(key) for key in there)
    return Line(name, len(ids), found, len(others), gone, f"{gone} dropped for another reason" if gone else "")


def flagged(ids: list[str], dirty: Run) -> Line:
    """Harmful rows: found where the column says so."""
    marked = {key for key, row in dirty.rows.items() if row.fields.get("harmful")}
    return Line("harmful", len(ids), len(marked & set(ids)), len(marked - set(ids)))


def foreign(ids: list[str], dirty: Run) -> Line:
    """Rows in other languages than those that are kept."""
    gone = {key for reason, keys in dirty.dropped.items() if reason.startswith("language_") for key in keys}
    return Line("other language", len(ids), len(gone & set(ids)), len(gone - set(ids)))


def mislabelled(ids: list[str], dirty: Run) -> Line:
    """Rows with a wrong topic; what is held out is not looked at."""
    gone = set(dirty.dropped.get("mislabelled", []))
    seen = [key for key in ids if key in gone or (key in dirty.rows and dirty.rows[key].side == "train")]
    lost = len(ids) - len(seen)
    means = f"{lost} of the planted are held out, or dropped for another reason"
    return Line("wrong label", len(ids), len(gone & set(ids)), len(gone - set(ids)), lost, means)


def labelled(ids: list[str], topics: dict[str, str], dirty: Run) -> Line:
    """Rows without a topic: found is who got the true one, others who got a wrong one, the rest is asked of people."""
    given = {key: dirty.rows[key].fields["topic"] for key in ids if key in dirty.rows}
    right = sum(topics[key] == topic for key, topic in given.items())
    asked = len(set(dirty.dropped.get("unlabelled", [])) & set(ids))
    lost = len(ids) - len(given)
    return Line("no label", len(ids), right, len(given) - right, lost, f"{asked} wait for a person")


def lines(planted: dict[str, list[str]], topics: dict[str, str], dirty: Run, clean: Run) -> Iterator[Line]:
    """Every defect."""
    for name, ids in planted.items():
        if name in REPAIRED:
            yield repaired(name, ids, dirty, clean)
        elif name in DROPPED:
            yield dropped(name, ids, dirty, clean)
        elif name.startswith("personal: "):
            yield masked(name, ids, dirty)
    yield mislabelled(planted["wrong label"], dirty)
    yield labelled(planted["unlabelled"], topics, dirty)
    yield flagged(planted["harmful"], dirty)
    yield foreign(planted["other language"], dirty)
    yield Line("unreadable", len(planted["unreadable"]), len(dirty.dropped.get("unreadable", [])))


def untouched(planted: dict[str, list[str]], dirty: Run, clean: Run) -> Line:
    """Rows without any defect: they should end as they do where nothing was spoilt."""
    spoilt = {key.removesuffix("-again") for ids in planted.values() for key in ids}
    free = [key for key in clean.rows if key not in spoilt]
    same = sum(key in dirty.rows and dirty.text(key) == clean.text(key) for key in free)
    lost = len(dirty.dropped.get("withdrawn", []))
    means = f"{lost} was taken out by the recipe" if lost else ""
    return Line("no defect", len(free), same, len(free) - same - lost, lost, means)


def table(found: list[Line]) -> str:
    """The lines in Markdown."""
    head = "| defect | planted | found | others called so | |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| {one.name} | {one.planted} | {one.found} | {one.others} | {one.means} |\n" for one in found
    )


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "dirty", "clean"):
        asked.add_argument(name, type=Path)
    asked.add_argument("--json", action="store_true", help="one list of objects on standard output")
    given = asked.parse_args()
    facts = json.loads((given.data / "planted.json").read_text(encoding="utf-8"))
    planted, topics = facts["planted"], facts["topics"]
    dirty, clean = Run(given.dirty), Run(given.clean)
    found = [*lines(planted, topics, dirty, clean), untouched(planted, dirty, clean)]
    print(json.dumps([asdict(one) for one in found]) if given.json else table(found))


if __name__ == "__main__":
    main()
