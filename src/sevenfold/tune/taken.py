"""What was learnt elsewhere as this run's tuned model: no step is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.record import write_text
from sevenfold.tune.tuned import HISTORY_FILE, Tuned

if TYPE_CHECKING:
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.section import TuneSection


def take(section: TuneSection, dataset: Dataset, model: Model, environment: Environment, entry: Entry) -> Tuned:
    """Put it into the network once, which proves that it fits, and keep its files.

    Raises:
        ModelError: It cannot be read, or does not fit the network.
    """
    from sevenfold.tune.kept import written
    from sevenfold.tune.stage import save_weights

    environment.start()
    network = model.network(section.method.weights_dtype(environment.dtype))
    section.method.attach(network)
    entry.note("nothing is trained: what was learnt elsewhere is taken as it is")
    save_weights(section, network, None, model, dataset, entry.folder / "weights")
    write_text(entry.folder / HISTORY_FILE, "")
    entry.metric("steps", 0)
    return Tuned(
        method=written(section, "method", entry.folder),
        adapter=section.method.adapter,
        steps=0,
        best_step=0,
        trainable_parameters=0,
        tokens=0,
        tokens_per_second=0.0,
        peak_memory_bytes=0,
        losses=[],
        validation_losses={},
    ).save(entry.folder)
