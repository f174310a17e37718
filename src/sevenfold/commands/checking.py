"""The command ``check-objective``: whether a user's own objective does what every objective does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from sevenfold.console import Console
from sevenfold.errors import ProofError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Proof
from sevenfold.recipe import apply_override


def run(named: str, fields: list[str], rows: str | None, console: Console) -> list[Proof]:
    """Try an objective on a tiny model that is made for it, and say each outcome as it comes.

    Args:
        named: A Python file, or the name of an objective that comes along.
        fields: Its fields, ``gamma=2``.
        rows: Rows that it can learn from; None: questions and answers.
        console: Shows the outcomes.

    Raises:
        SevenfoldError: It cannot be built, or refuses the rows.
    """
    from sevenfold.prove import objective

    found = []
    with tempfile.TemporaryDirectory() as folder:
        for proof in objective.prove(written(named, fields), Path(folder), rows):
            console.say("  " + proofs.line(proof), style="green" if proof.passed else "red")
            found.append(proof)
    return found


def written(named: str, fields: list[str]) -> dict[str, Any]:
    """The objective as a recipe writes it."""
    values: dict[str, Any] = {}
    for field in fields:
        apply_override(values, field)
    return {"file": named, **values} if named.endswith(".py") else {named: values}


def required(found: list[Proof]) -> None:
    """Stop at what failed.

    Raises:
        ProofError: Something does not hold.
    """
    failed = [proof for proof in found if not proof.passed]
    if failed:
        raise ProofError(
            f"{len(failed)} of {len(found)} do not hold: {', '.join(proof.name for proof in failed)}",
            where=failed[0].what,
            expected=f"at most {failed[0].limit:g} {failed[0].unit}, found {failed[0].figure:g}",
            next_step="docs/objectives/your-own.md says what each means",
        )
