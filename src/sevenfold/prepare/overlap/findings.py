"""What was found of near-duplicates and leaks: their lines in ``dropped.jsonl`` and their part of the data report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sevenfold.prepare.dataset import said
from sevenfold.prepare.overlap.alike import Alike, Sought
from sevenfold.prepare.overlap.leaks import Leaks
from sevenfold.prepare.overlap.near import Near
from sevenfold.prepare.overlap.semantic import Semantic
from sevenfold.prepare.shelf import Shelf

LEAK = "leak"
"""The place of training rows that hold text of what is held out."""
MOST_EXAMPLES = 1000
SAID = ("messages", "fields")


def removed(shelf: Shelf, sought: Sought, leaks: Leaks | None, reasons: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Each row that was removed after the pass over the sources: its reason and place, those of its partner, itself.

    Args:
        shelf: The staged rows.
        sought: Rows that say the same; ``of`` is the place of the row that stays.
        leaks: Leaks; ``of`` is the place of the text that is held out, ``words`` the first that are shared.
        reasons: For each row its split, or why it is in none.
    """
    leaking = leaks.rows if leaks else {}
    for number in sorted({*leaking, *(row for alike in sought.values() for row in alike.twins)}):
        row = shelf.row(number)
        line: dict[str, Any] = {"reason": reasons[number], "origin": row.origin}
        if number in leaking:
            line |= {"of": leaking[number].where, "words": leaking[number].words}
        else:
            twin = next(alike.twins[number] for alike in sought.values() if number in alike.twins)
            line |= {"of": shelf.origin(twin.row), "similarity": round(twin.similarity, 4)}
        yield line | said(row)


def write_removed(path: Path, lines: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the lines to the file of dropped rows; gives the first of each reason without what they say."""
    examples: list[dict[str, Any]] = []
    found: Counter[str] = Counter()
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            found[line["reason"]] += 1
            if found[line["reason"]] <= MOST_EXAMPLES:
                examples.append({key: value for key, value in line.items() if key not in SAID})
    return examples


def near_facts(near: Near | None, examples: list[dict[str, Any]], reason: str) -> dict[str, Any]:
    """The report's part on near-duplicates; empty when they were not sought."""
    if near is None:
        return {}
    return {
        **cluster_facts(near),
        "bands": near.banding.bands,
        "values_in_a_band": near.banding.rows,
        "not_compared": near.overflowed,
        "examples": chosen(examples, reason),
    }


def semantic_facts(semantic: Semantic | None, examples: list[dict[str, Any]], reason: str) -> dict[str, Any]:
    """The report's part on semantic duplicates; empty when they were not sought."""
    if semantic is None:
        return {}
    names = ("border_cosine_prompt", "border_cosine_reply")
    return {
        **cluster_facts(semantic),
        **dict(zip(names, semantic.borders, strict=True)),
        "examples": chosen(examples, reason),
    }


def cluster_facts(alike: Alike) -> dict[str, int]:
    """How many rows belong together."""
    clusters = alike.clusters.sets()
    return {
        "clusters": len(clusters),
        "rows": sum(map(len, clusters.values())),
        "dropped": len(alike.twins),
        "largest": max(map(len, clusters.values()), default=0),
    }


def leak_facts(leaks: Leaks | None, examples: list[dict[str, Any]]) -> dict[str, Any]:
    """The report's part on leaks; empty when they were not sought."""
    if leaks is None:
        return {}
    return {
        "rows": len(leaks.rows),
        "texts": leaks.texts,
        "common_phrases": leaks.common,
        "examples": chosen(examples, LEAK),
    }


def chosen(examples: list[dict[str, Any]], reason: str) -> list[dict[str, Any]]:
    """The examples of one reason, without it."""
    return [
        {key: value for key, value in line.items() if key != "reason"} for line in examples if line["reason"] == reason
    ]
