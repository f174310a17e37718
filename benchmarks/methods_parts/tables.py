"""The tables of ``benchmarks/methods.md`` and ``docs/methods.md``, from figures alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from methods_parts import decisions, measured, quality, speed

Figures = dict[str, Any]


def between(text: str, mark: str, found: str) -> str:
    """A document with a text between its marks, where it has such marks."""
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    before, there, rest = text.partition(begin)
    if not there:
        return text
    return f"{before}{begin}\n\n{found}\n\n{end}{rest.partition(end)[2]}"


def texts(kept: Figures) -> dict[str, str]:
    """Every table for which there are figures, by its mark."""
    found = {}
    if "speed" in kept:
        rows = speed.rows(kept["speed"])
        found |= {"speed": speed.table(kept["speed"], rows), "figures": speed.short_table(kept["speed"], rows)}
    for name, told in kept.get("quality", {}).items():
        head = quality.HEADINGS[name]
        found[f"quality-{name}"] = "\n\n".join([*head, quality.table(told)])
        found[f"page-quality-{name}"] = "\n\n".join([*head, quality.short_table(told)])
    more = [asdict(claim) for claim in measured.claims(kept)]
    claims = [*kept.get("claims", {}).get("counted", []), *more]
    if claims:
        where = kept.get("claims", kept.get("speed", {})).get("machine", "")
        found["claims"] = f"{claims_table(claims)}\n\n`python benchmarks/methods.py claims`; {where}"
    if decided := decisions.table(kept):
        found["decisions"] = decided
    return found


def claims_table(claims: list[Figures]) -> str:
    """Claims beside our figures."""
    lines = ["| claim | source | theirs | ours | how ours was found |", "|---|---|---|---|---|"]
    lines += [
        "| " + " | ".join(claim[key] for key in ("claim", "source", "theirs", "ours", "how")) + " |" for claim in claims
    ]
    return "\n".join(lines)
