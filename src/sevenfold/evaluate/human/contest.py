"""What people are asked: two answers to one held-out row, of the models that were evaluated on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import combinations
from pathlib import Path
from typing import Any

from sevenfold.errors import DataError

BASE, TUNED = "base", "tuned"
Meeting = tuple[str, str]
"""Two models, in the order of the contest's models."""


@dataclass(frozen=True, slots=True)
class Duel:
    """Two different answers to one row.

    Args:
        origin: Names the duel: a hash of the row's place, the prompt and both answers, so that a judgement of other
            answers is never taken for one of these.
        row: Where the row is from.
        prompt: The turns, a role and a content each.
        reference: The row's own answer.
        texts: The two answers.
        meetings: The models that gave the first and the second; several where models answered alike.
        values: Model to metric to the metric's value of the row.
    """

    origin: str
    row: str
    prompt: list[dict[str, str]]
    reference: str
    texts: tuple[str, str]
    meetings: tuple[Meeting, ...]
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def digests(self) -> tuple[str, str]:
        """What names each answer without a word of whose it is."""
        return digest(self.texts[0]), digest(self.texts[1])


@dataclass(frozen=True)
class Contest:
    """All duels of some models.

    Args:
        models: The models' names.
        duels: What is asked, in the order in which it is asked.
        rows: Rows that all models answered.
        equal: Two models to the number of rows that they answered alike, which nobody is asked about.
        unmatched: Rows that not all of the runs have.
        other_base: Rows to which another run's base answered otherwise than the first one's; the first one's is shown.
        directions: Metric to ``higher`` or ``lower``, which is better.
    """

    models: tuple[str, ...]
    duels: list[Duel]
    rows: int
    equal: Mapping[Meeting, int]
    unmatched: int = 0
    other_base: int = 0
    directions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each duel stands, by its origin."""
        return {duel.origin: place for place, duel in enumerate(self.duels)}

    @property
    def meetings(self) -> list[Meeting]:
        """Every two models."""
        return list(combinations(self.models, 2))

    def first(self, most: int | None) -> Contest:
        """The same with the first duels alone; a longer one begins with them."""
        return Contest(
            self.models,
            self.duels[:most],
            self.rows,
            self.equal,
            self.unmatched,
            self.other_base,
            self.directions,
        )


def read_contest(files: Mapping[str, Path], seed: int) -> Contest:
    """The duels of one or several runs on the same rows.

    Args:
        files: A run's name to its ``rows.jsonl``; ``result.json`` beside it says which way its metrics are better.
        seed: Of the order in which duels are asked. Whoever stops early has judged a random part.

    Raises:
        DataError: There are no answers, or the runs share no row.
    """
    of_runs = {name: read_rows(path) for name, path in files.items()}
    first = next(iter(of_runs.values()))
    shared = [key for key in first if all(key in rows for rows in of_runs.values())]
    if not shared:
        raise DataError("the runs have no held-out row in common", where=", ".join(map(str, files.values())))
    models = (BASE, TUNED) if len(files) == 1 else (BASE, *(tuned_name(name) for name in files))
    equal: Counter[Meeting] = Counter()
    duels = []
    for key in shared:
        sides = [first[key][BASE], *(rows[key][TUNED] for rows in of_runs.values())]
        duels += duels_of(first[key], dict(zip(models, sides, strict=True)), equal)
    return Contest(
        models,
        sorted(duels, key=lambda duel: hashed(str(seed), duel.origin)),
        len(shared),
        {meeting: equal[meeting] for meeting in combinations(models, 2)},
        len({key for rows in of_runs.values() for key in rows}) - len(shared),
        sum(any(rows[key][BASE]["text"] != first[key][BASE]["text"] for rows in of_runs.values()) for key in shared),
        directions(next(iter(files.values())).with_name("result.json")),
    )


def tuned_name(run: str) -> str:
    """A run's tuned model among those of several runs."""
    return f"{run} ({TUNED})" if run == BASE else run


def read_rows(path: Path) -> dict[str, dict[str, Any]]:
    """The rows of a run by what names them in every run: their place and their prompt.

    Raises:
        DataError: A line is no row, or there are no answers.
    """
    rows = {}
    # Not splitlines: a text may hold other signs that end a line.
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            key = hashed(row["origin"], json.dumps(row["prompt"]))
            answered = all("text" in row[side] for side in (BASE, TUNED))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError("the line is no evaluated row", where=f"{path}:{number}") from error
        if not answered:
            raise DataError(
                "the models wrote no answers, so there is nothing to judge",
                where=f"{path}:{number}",
                next_step="add a metric of answers to evaluate.metrics, such as chrf, and run evaluate again",
            )
        rows[key] = row
    if not rows:
        raise DataError("there are no evaluated rows", where=str(path), next_step="sevenfold evaluate RECIPE")
    return rows


def duels_of(row: dict[str, Any], sides: Mapping[str, dict[str, Any]], equal: Counter[Meeting]) -> list[Duel]:
    """Every two different answers to a row once; the meetings of equal ones are counted."""
    found: dict[frozenset[str], list[Meeting]] = {}
    texts = {model: side["text"].strip() for model, side in sides.items()}
    for one, other in combinations(texts, 2):
        if texts[one] == texts[other]:
            equal[one, other] += 1
        else:
            found.setdefault(frozenset((texts[one], texts[other])), []).append((one, other))
    values = {model: side.get("values", {}) for model, side in sides.items()}
    return [duel_of(row, texts, meetings, values) for meetings in found.values()]


def duel_of(
    row: dict[str, Any], texts: Mapping[str, str], meetings: Sequence[Meeting], values: Mapping[str, dict[str, float]]
) -> Duel:
    """One duel; of every meeting the model whose answer is the first one stands first."""
    first, second = (texts[model] for model in meetings[0])
    turned = tuple(meeting if texts[meeting[0]] == first else meeting[::-1] for meeting in meetings)
    name = hashed(row["origin"], json.dumps(row["prompt"]), *sorted((first, second)))
    return Duel(name, row["origin"], row["prompt"], row["reference"], (first, second), turned, values)


def directions(path: Path) -> dict[str, str]:
    """Metric to the way that is better; empty where the run's result is not there."""
    if not path.is_file():
        return {}
    metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    return {name: metric["direction"] for name, metric in metrics.items()}


def digest(text: str) -> str:
    """A name of a text that says nothing of it."""
    return hashed("answer", text)


def hashed(*parts: str) -> str:
    """A hash of some texts, 16 hexadecimal digits; their borders count."""
    pieces = (part.encode("utf-8", "surrogatepass") for part in parts)
    framed = b"".join(len(piece).to_bytes(8, "little") + piece for piece in pieces)
    return blake2b(framed, digest_size=8).hexdigest()
