"""The proofs: what was shown to be equal on this model and these rows."""

from __future__ import annotations

from typing import Any

from sevenfold.report.blocks import Cell, Part, Table
from sevenfold.report.facts import RECORD_FILE, Facts
from sevenfold.report.words import number


def part(facts: Facts) -> Part | None:
    """Every proof with its figure and its limit."""
    rows = [line(stage, proof) for stage, proof in facts.proofs]
    if not rows:
        return None
    columns = ("proof", "stage", "result", "figure", "limit", "what was compared")
    return Part("Proofs", [Table(columns, rows, RECORD_FILE, words=True)])


def line(stage: str, proof: dict[str, Any]) -> list[Cell | str]:
    """A proof as cells."""
    result = Cell("passed", "good") if proof["passed"] else Cell("failed", "bad")
    unit = proof.get("unit", "")
    return [
        proof["name"],
        stage,
        result,
        f"{number(proof['figure'])} {unit}".strip(),
        number(proof["limit"]),
        proof.get("what", ""),
    ]
