"""What stands beside the objective, all of it together."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sevenfold.tune.beside import TERMS, Start, Working
from sevenfold.tune.engine.passes import passes
from sevenfold.tune.several.validation import LOSS_OF

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import TokenSequence
    from sevenfold.load.model import Model
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection
    from sevenfold.tune.trainer import Progress

PARTED = "group"
"""The column by which rows are laid into passes of their own."""


def start(section: TuneSection, forward: Forward, model: Model, environment: Environment, entry: Entry) -> None:
    """Put the recipe's terms at work in a network that has not moved yet; arguments as of :class:`Start`."""
    weights = section.method.trainable(forward.network)
    at = Start(section, forward, weights, model, environment, entry)
    names = named([TERMS.name_of(term) for term in section.beside])
    forward.terms = tuple(term.start(at, name) for term, name in zip(section.beside, names, strict=True))


def named(names: Sequence[str]) -> list[str]:
    """Names of their own for terms that stand in the recipe more than once."""
    return [f"{name} {number}" if names.count(name) > 1 else name for number, name in enumerate(names, 1)]


def finish(section: TuneSection, progress: Progress, entry: Entry) -> None:
    """Say which group is worst off at the end; remove what a resumed training would have needed."""
    shutil.rmtree(entry.folder / "beside", ignore_errors=True)
    step = progress.best_step if section.keep == "best" else progress.step
    before, found = (progress.validation_figures.get(at, {}) for at in (0, step))
    groups = {told for term in section.beside if term.column == PARTED for told in term.every()}
    losses = {name: found[LOSS_OF + name] for name in groups if LOSS_OF + name in found}
    if losses:
        worst = max(losses, key=lambda name: losses[name])
        entry.note(
            f"of {len(losses)} groups the worst is {worst}: validation loss {losses[worst]:.4g} at step {step}, "
            f"{before[LOSS_OF + worst]:.4g} before training; the best has {min(losses.values()):.4g}"
        )


def laid(section: TuneSection, sequences: Sequence[TokenSequence]) -> list[Pass]:
    """The passes of a step's sequences; those of a group apart where a term tells groups apart."""
    parts = [sequences]
    if any(term.column == PARTED for term in section.beside):
        parts = list(parted(sequences).values())
    return [one for part in parts for one in passes(part, section.tokens_per_pass, section.objective.here)]


def parted(sequences: Iterable[TokenSequence]) -> dict[int, list[TokenSequence]]:
    """Sequences by the number of their group, in the order of these numbers."""
    found: dict[int, list[TokenSequence]] = {}
    for sequence in sequences:
        found.setdefault(int(sequence.columns[PARTED][0]), []).append(sequence)
    return dict(sorted(found.items()))


def by_group(section: TuneSection, forward: Forward, rows: Encoded, numbers: Iterable[int]) -> dict[str, float]:
    """The objective's validation loss of each group, where a term tells groups apart.

    The rows go through the network once more: the losses of a pass are sums over all of its rows.
    """
    found = {}
    for term in section.beside:
        if term.column != PARTED:
            continue
        own: dict[int, list[int]] = {}
        for number in numbers:
            own.setdefault(int(rows.row(number)[0].columns[PARTED][0]), []).append(number)
        for group, some in sorted(own.items()):
            loss, _ = section.objective.validation(
                forward, rows.rows(some), rows.sequences(some), section.tokens_per_pass
            )
            found[LOSS_OF + term.every()[group]] = loss
    return found


def state_of(terms: Iterable[Working]) -> dict[str, Tensor]:
    """What the next steps depend on, by name."""
    return {f"beside.{term.name}.{name}": value for term in terms for name, value in term.state().items()}
