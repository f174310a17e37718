"""What an answer says: a label, some labels, a number, entities. A model that writes is read kindly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from sevenfold.folding import folded

NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def places(answer: str, labels: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Where in the answer labels first stand as whole words; negative length second, so that longer ones come first."""
    text, found = folded(answer), {}
    for label in labels:
        match = re.search(rf"(?<!\w){re.escape(folded(label))}(?!\w)", text)
        if match:
            found[label] = (match.start(), -len(label))
    return found


def one_label(answer: str, labels: Iterable[str]) -> str | None:
    """The label that an answer is, or else the first that it names; None where it names none."""
    known = {folded(label): label for label in labels}
    if folded(answer) in known:
        return known[folded(answer)]
    found = places(answer, known.values())
    return min(found, key=found.__getitem__) if found else None


def some_labels(answer: str, labels: Iterable[str], separator: str) -> frozenset[str]:
    """The labels that an answer lists, or else all that it names."""
    known = {folded(label): label for label in labels}
    parts = [folded(part) for part in answer.split(separator.strip())]
    if all(part in known for part in parts):
        return frozenset(known[part] for part in parts)
    return frozenset(places(answer, known.values()))


def number(answer: str) -> float | None:
    """The first number of an answer."""
    found = NUMBER.search(answer)
    return float(found.group().replace(",", "")) if found else None


def entities(answer: str) -> Counter[tuple[str, str]]:
    """The entities that an answer lists, one a line: ``DATE: 3 May``; other lines are none."""
    lines = (line.partition(":") for line in answer.splitlines())
    return Counter((kind.strip(), " ".join(words.split())) for kind, colon, words in lines if colon and words.strip())
