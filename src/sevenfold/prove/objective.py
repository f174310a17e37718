"""What holds of every objective, tried on a user's own: the same that the objectives which come along are tested by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from sevenfold.prove import gradients, proofs, small
from sevenfold.prove.proof import Case, Proof
from sevenfold.record import Entry

if TYPE_CHECKING:
    from sevenfold.tune.tuned import Tuned

STEPS = 30
SAME = 1e-4
"""Largest relative difference of one figure computed in two ways."""


def prove(objective: Any, folder: Path, rows: str | None = None) -> Iterator[Proof]:
    """Try everything, one thing after the other.

    Args:
        objective: As a recipe writes it: a name, or ``{"file": "my_loss.py", "field": value}``.
        folder: An empty folder to work in.
        rows: Rows that it can learn from, as ``prepare.source``; not given: questions and answers.

    Raises:
        SevenfoldError: The objective cannot be built, or refuses the rows.
    """
    from sevenfold.tune.section import TuneSection

    fields = {"objective": objective, "method": "full", "learning_rate": 3e-3, "batch": 4, "steps": STEPS}
    section = TuneSection.model_validate({**fields, "keep": "last", "max_length": small.LONGEST})
    case = Case(
        section,
        small.dataset(folder / "1-prepare", rows),
        small.model(folder),
        small.environment(folder / "3-setup"),
        folder,
    )
    case.section = section.settled(case.dataset)
    gradient = reached(case)
    yield gradient
    if not gradient.passed:
        # Nothing can be trained, so nothing else can be tried.
        return
    for name in proofs.BEFORE["tune"]:
        if proofs.meaningful(name, case.section):
            yield proofs.run(name, case)
    for check in (pure, summed):
        yield check(case)
    tuned = trained(case)
    yield finite(tuned)
    yield falls(tuned)
    yield saved(case, tuned)


def pure(case: Case) -> Proof:
    """The loss of the same outputs is the same twice, and leaves them as they are."""
    objective, forward, batch = case.section.objective, *one_pass(case)
    outputs = objective.outputs(forward, batch).detach()
    before = outputs.clone()
    first, second = (float(objective.loss(outputs, batch)) for _ in range(2))
    changed = float((outputs - before).abs().max())
    return Proof.of("pure", abs(first - second) + changed, 0, "difference", "the loss of the same outputs, twice")


def summed(case: Case) -> Proof:
    """The loss of two passes together is the sum of both: it is summed over rows, not averaged."""
    from sevenfold.tune.engine.passes import joined, pack

    objective, forward, _ = case.section.objective, *one_pass(case)
    if objective.joint:
        return Proof.of("summed", 0, SAME, "relative difference", "nothing: the loss is one over all rows")
    import torch

    parts = [pack([sequence], objective.here) for sequence in case.short_sequences()]
    outputs = [objective.outputs(forward, part).detach() for part in parts]
    alone = sum(float(objective.loss(one, part)) for one, part in zip(outputs, parts, strict=True))
    together = float(objective.loss(torch.cat(outputs), joined(parts)))
    gap = abs(together - alone) / max(abs(alone), 1e-6)
    return Proof.of("summed", gap, SAME, "relative difference", f"the loss of {len(parts)} rows and the sum of theirs")


def reached(case: Case) -> Proof:
    """Something that moves has a gradient."""
    objective, forward, batch = case.section.objective, *one_pass(case)
    loss, reaching = objective.loss(objective.outputs(forward, batch), batch), 0
    if loss.requires_grad:
        loss.backward()
        reaching = sum(bool(slope.abs().max() > 0) for slope in gradients.taken(forward, 0.0).by_name.values())
    return Proof.of("gradient", not reaching, 0, "losses without one", f"{reaching} tensors with a gradient")


def one_pass(case: Case) -> tuple[Any, Any]:
    """The network, and a few rows as a pass."""
    from sevenfold.tune.engine.passes import pack

    forward = gradients.float32_forward(case)
    return forward, pack(case.short_sequences(), case.section.objective.here)


def trained(case: Case) -> Tuned:
    """A short training."""
    from sevenfold.tune.stage import tune

    entry = Entry(case.folder / "4-tune")
    entry.folder.mkdir()
    return tune(case.section, case.dataset, case.model, case.environment, entry)


def finite(tuned: Tuned) -> Proof:
    """Every loss and figure is a number."""
    figures = [one for step in tuned.history() for one in (step["loss"], *step["figures"].values())]
    wrong = sum(not math.isfinite(figure) for figure in figures)
    return Proof.of("finite", wrong, 0, "figures that are no number", f"{len(figures)} figures of {STEPS} steps")


def falls(tuned: Tuned) -> Proof:
    """What is minimised goes down."""
    first, last = fmean(tuned.losses[:5]), fmean(tuned.losses[-5:])
    what = f"the mean loss of the first and of the last 5 of {STEPS} steps: {first:.4g}, {last:.4g}"
    return Proof.of("falls", max(0.0, last - first), 0, "rise of the loss", what)


def saved(case: Case, tuned: Tuned) -> Proof:
    """What was trained, and what the objective has of its own, says the same when it is loaded again."""
    case.tuned = tuned
    objective, folder = tuned.chosen_objective(), case.folder / "validation"
    folder.mkdir()
    forward = gradients.float32_forward(case)
    before = tuned.validation_losses[max(tuned.validation_losses)]
    again = validated(forward, objective, case, folder)
    gap = abs(again - before) / max(abs(before), 1e-6)
    return Proof.of("saved", gap, 10 * SAME, "relative difference", "the validation loss, trained and loaded again")


def validated(forward: Any, objective: Any, case: Case, folder: Path) -> float:
    """The validation loss of a network."""
    from sevenfold.tune import references
    from sevenfold.tune.stage import build
    from sevenfold.tune.tokens import encoded_split

    rows = encoded_split("validation", case.section, case.dataset, case.model, Entry(folder))
    if objective.reference:
        start = build(case.section, case.model, case.environment)
        references.apply(case.section, start, {"validation": rows}, case.model, case.environment, Entry(folder))
    numbers = range(len(rows))
    found: float = objective.validation(
        forward, rows.rows(numbers), rows.sequences(numbers), case.section.tokens_per_pass
    )[0]
    return found
