"""The validation loss of each task alone, beside that of all rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.section import TuneSection

LOSS_OF = "loss of "
"""What stands before a task's name in the figures of a validation."""


def by_task(section: TuneSection, forward: Forward, rows: Encoded, numbers: Iterable[int]) -> dict[str, float]:
    """The objective's validation loss over the rows of each task; empty where tasks are not told apart.

    The rows go through the network once more: the losses of a pass are sums over all of its rows.

    Args:
        section: The objective, and the method that tells tasks apart.
        forward: The network.
        rows: The validation rows.
        numbers: Those that are looked at.
    """
    routing = section.method.routing()
    if routing is None or len(routing.tasks) < 2:
        return {}
    own: dict[int, list[int]] = {}
    for number in numbers:
        own.setdefault(rows.row(number)[0].task, []).append(number)
    found = {}
    for task, some in sorted(own.items()):
        loss, _ = section.objective.validation(forward, rows.rows(some), rows.sequences(some), section.tokens_per_pass)
        found[LOSS_OF + routing.tasks[task]] = loss
    return found
