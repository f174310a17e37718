"""A few real steps before a training, for figures that no arithmetic gives: seconds a token, and the peak of memory."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from sevenfold.tune import memory, references, terms
from sevenfold.tune.work import step_tokens

if TYPE_CHECKING:
    from sevenfold.console import Console
    from sevenfold.load.model import Model
    from sevenfold.setup.environment import Environment
    from sevenfold.setup.plan import Plan, Work
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.section import TuneSection

STEPS = 6
"""Steps that are measured, behind one that warms up."""


@dataclass(frozen=True)
class Rehearsal:
    """What a few steps took.

    Args:
        steps: How many were measured.
        tokens: Their tokens.
        seconds: Their time, at the median of the steps' speeds: one that something else held up counts no more.
        peak_bytes: The highest memory, the loading of the model included.
        before: Seconds a token of what the network is asked before the first step; 0: nothing.
        drawn_steps: Steps of the whole training where answers are drawn, whose lengths nobody knows; 0: none are.
    """

    steps: int
    tokens: int
    seconds: float
    peak_bytes: int
    before: float = 0.0
    drawn_steps: int = 0

    def seconds_for(self, work: Work) -> float:
        """Time of the whole training at this speed: by its tokens, or by its steps where answers are drawn."""
        if self.drawn_steps:
            return self.seconds / self.steps * self.drawn_steps
        return self.seconds / self.tokens * work.total_tokens + self.before * work.tokens_before


def rehearse(
    section: TuneSection, rows: Encoded, model: Model, environment: Environment, plan: Plan, console: Console
) -> Rehearsal:
    """Train a few steps of the recipe's own rows, the fullest first, and forget what was learnt.

    Args:
        section: The recipe's section.
        rows: The training rows.
        model: The base model.
        environment: Device, precision and seed.
        plan: Says what is kept of activations.
        console: Shows the progress.
    """
    from sevenfold.record import Entry
    from sevenfold.tune.engine import activations
    from sevenfold.tune.stage import build
    from sevenfold.tune.trainer import Trainer

    environment.start()
    memory.reset_peak()
    forward = build(section, model, environment)
    activations.apply(section.engine.activations, forward.network, plan)
    with tempfile.TemporaryDirectory() as folder, console.task("a few steps", STEPS + 1) as bar:
        entry = Entry(Path(folder), console)
        terms.start(section, forward, model, environment, entry)
        trainer = Trainer(forward, section, rows, rows, environment.seed, entry)
        taken, steps = [], chosen(rows, section, environment.seed)
        before = ask_before(forward, section, rows, [row for step in steps for row in trainer.batches.at(step)])
        for step in steps:
            taken.append(trainer.step(trainer.batches.at(step)))
            bar.advance(1)
    measured = taken[1:] or taken
    tokens, pace = sum(step.tokens for step in measured), median(step.seconds / step.tokens for step in measured)
    peak = memory.peak_bytes(environment.device)
    drawn = trainer.total if section.objective.on_policy else 0
    return Rehearsal(len(measured), tokens, pace * tokens, peak, before, drawn)


def ask_before(forward: Forward, section: TuneSection, rows: Encoded, some: list[int]) -> float:
    """What the network says of some rows before it moves, where the objective reads it; gives the seconds a token."""
    if not section.objective.reference:
        return 0.0
    started = time.perf_counter()
    wanted = sorted(set(some))
    rows.columns[references.NAME] = references.logprobs(forward, section, rows, wanted, lambda done: None)
    tokens = sum(len(sequence) for sequence in rows.sequences(wanted))
    return (time.perf_counter() - started) / tokens


def chosen(rows: Encoded, section: TuneSection, seed: int) -> list[int]:
    """Which steps of the first epoch: the one with most tokens, and others spread over all sizes."""
    totals = step_tokens(section, rows, seed)
    order = np.argsort(totals, kind="stable")
    spread = np.linspace(0, len(order) - 1, min(STEPS, len(order))).round().astype(int)
    return [int(order[-1]), *order[spread].tolist()]
