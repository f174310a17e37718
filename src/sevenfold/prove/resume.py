"""Proof 5, resume: a run that was stopped and resumed ends with the same bits as one that was not."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.prove.proof import FEW, Case, Proof
from sevenfold.record import Entry

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.section import TuneSection

STEPS = 4
GPU_LIMIT = 1e-6
"""On a CPU equality is exact. GPU kernels may add in another order each time; their share of differing bits is not
counted, only the largest difference."""


def prove(case: Case) -> Proof:
    """Train a few steps in one go and with a stop between; every value that moves must be the same."""
    with tempfile.TemporaryDirectory() as folder:
        whole, resumed = two_runs(case, Path(folder))
    gap = max(float((whole[name].double() - resumed[name].double()).abs().max()) for name in whole)
    limit = 0.0 if case.environment.device == "cpu" else GPU_LIMIT
    what = f"{len(whole)} tensors after {STEPS} steps, and after {STEPS // 2} steps, a stop and the rest"
    return Proof.of("resume", gap, limit, "largest difference", what)


def two_runs(case: Case, folder: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The weights of an uninterrupted run, and of one that stopped half-way and lost all state but the disk's."""
    from sevenfold.tune import terms
    from sevenfold.tune.encoded import encode
    from sevenfold.tune.stage import build

    section = case.section.model_copy(
        update={"batch": 2, "steps": STEPS, "epochs": None, "checkpoint_every": STEPS // 2, "patience": None}
    )
    short = sorted(case.rows(16), key=lambda row: sum(len(m.content) for m in row.conversation.messages))[:FEW]
    lengths = encode(short, section, case.encoder(), folder, "train")
    encode([], section, case.encoder(), folder, "validation")
    if not lengths.rows:
        case.short_sequences()
    case.environment.start()
    forward = build(section, case.model, case.environment)
    terms.start(section, forward, case.model, case.environment, Entry(folder))
    start = weights(forward, section)
    tell_start(forward, section, folder)
    case.environment.start()
    run(forward, section, case, folder, folder / "whole", STEPS)
    whole = weights(forward, section)
    put(forward, section, start)
    case.environment.start()
    run(forward, section, case, folder, folder / "stopped", STEPS // 2)
    put(forward, section, {name: value + 1 for name, value in start.items()})
    run(forward, section, case, folder, folder / "stopped", STEPS)
    return whole, weights(forward, section)


def tell_start(forward: Forward, section: TuneSection, folder: Path) -> None:
    """Write what the network says before its first step beside the rows, where the objective reads it."""
    from sevenfold.tune import references
    from sevenfold.tune.encoded import Encoded

    if section.objective.reference:
        rows = Encoded(folder, "train")
        said = references.logprobs(forward, section, rows, list(range(len(rows))), lambda done: None)
        said.tofile(folder / f"train.column.{references.NAME}")


def run(forward: Forward, section: TuneSection, case: Case, rows: Path, place: Path, until: int) -> None:
    """Train up to a step, from a checkpoint in ``place`` if there is one."""
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.trainer import Trainer

    place.mkdir(exist_ok=True)
    train, validation = Encoded(rows, "train"), Encoded(rows, "validation")
    trainer = Trainer(forward, section, train, validation, case.environment.seed, Entry(place))
    trainer.until = until
    trainer.train()


def moving(forward: Forward, section: TuneSection) -> dict[str, Tensor]:
    """Everything that a step may change."""
    from sevenfold.tune import own, trainer

    return {**trainer.moving(forward, section), **section.method.state(forward.network), **own.state(forward.own)}


def everything(forward: Forward, section: TuneSection) -> dict[str, Tensor]:
    """What a step may change, with what terms beside the objective remember."""
    from sevenfold.tune.terms import state_of

    return {**moving(forward, section), **state_of(forward.terms)}


def weights(forward: Forward, section: TuneSection) -> dict[str, Tensor]:
    """Copies of everything that a step may change."""
    return {name: value.detach().clone() for name, value in everything(forward, section).items()}


def put(forward: Forward, section: TuneSection, values: dict[str, Tensor]) -> None:
    """Set everything that a step may change."""
    for name, value in everything(forward, section).items():
        value.data.copy_(values[name])
