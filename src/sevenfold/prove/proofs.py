"""When each proof runs, and what happens when one fails."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from sevenfold.errors import ProofError
from sevenfold.prove.proof import Case, Proof
from sevenfold.recipe import Recipe
from sevenfold.record import Entry, Result
from sevenfold.tune.section import TuneSection

BEFORE = {"tune": ("mask", "tokens", "packing", "accumulation", "resume")}
"""Proofs that run before a stage does its work."""
AFTER = {"tune": ("packing", "accumulation", "merge"), "deploy": ("tokens", "export")}
"""Proofs that run on what a stage gave."""
OF_TRAINING = ("mask", "packing", "accumulation", "resume")
"""Proofs that speak of training, and have no meaning where nothing is trained."""


def possible(stages: set[str], section: TuneSection) -> list[str]:
    """The proofs that can run once some stages are done, each once, in the order of the seven.

    Args:
        stages: What is done.
        section: What is tuned, and how.
    """
    names = dict.fromkeys(BEFORE["tune"])
    for stage, behind in AFTER.items():
        if stage in stages:
            names.update(dict.fromkeys(behind))
    return [name for name in names if meaningful(name, section)]


def meaningful(name: str, section: TuneSection) -> bool:
    """Whether a proof says something: of training where there is one, of replies where replies are learnt."""
    if name == "mask" and section.objective.targets != "replies":
        return False
    if name == "tokens" and section.objective.targets == "text":
        return False
    return section.method.trains or name not in OF_TRAINING


def before(stage: str, results: Mapping[str, Result], recipe: Recipe, entry: Entry, force: bool) -> None:
    """Run the proofs that belong before a stage.

    Args:
        stage: The stage's name.
        results: What the stages so far gave.
        recipe: The recipe.
        entry: The stage's entry; figures go into its record.
        force: Go on when a proof fails, and record it.

    Raises:
        ProofError: A proof failed.
    """
    if stage in BEFORE:
        check(BEFORE[stage], "before", case_of(results, recipe, entry), entry, force)


def after(stage: str, results: Mapping[str, Result], recipe: Recipe, entry: Entry, force: bool) -> None:
    """Run the proofs on what a stage gave; arguments and errors as :func:`before`."""
    if stage in AFTER:
        check(AFTER[stage], "after", case_of(results, recipe, entry), entry, force)


def case_of(results: Mapping[str, Any], recipe: Recipe, entry: Entry) -> Case:
    """The user's own things as a proof takes them."""
    return Case(
        section=recipe.tune,
        dataset=results["prepare"],
        model=results["load"],
        environment=results["setup"],
        folder=entry.folder,
        tuned=results.get("tune"),
        service=results.get("deploy"),
    )


def check(names: tuple[str, ...], when: str, case: Case, entry: Entry, force: bool) -> None:
    """Run proofs, record their figures, and stop at those that fail."""
    failed = []
    for name in (name for name in names if meaningful(name, case.section)):
        proof = run(name, case)
        entry.record.proofs.append({**proof.as_json(), "when": f"{when} {entry.record.name}", "forced": False})
        entry.console.say("  " + line(proof), style="green" if proof.passed else "red")
        if not proof.passed:
            failed.append(proof)
            entry.record.proofs[-1]["forced"] = force
    if failed and not force:
        raise ProofError(
            f"the proof {failed[0].name!r} failed: {failed[0].figure:g} {failed[0].unit}",
            where=failed[0].what,
            expected=f"at most {failed[0].limit:g}",
            next_step="mend the cause, or go on all the same with --force, which the record keeps",
        )


def run(name: str, case: Case) -> Proof:
    """One proof by its name."""
    proof: Proof = importlib.import_module(f"sevenfold.prove.{name}").prove(case)
    return proof


def line(proof: Proof) -> str:
    """A proof on one line."""
    verdict = "proved" if proof.passed else "FAILED"
    return f"{verdict} {proof.name}: {proof.figure:.3g} {proof.unit} (limit {proof.limit:g}): {proof.what}"
