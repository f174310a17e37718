"""The command ``serve``: a run's tuned model behind the API, every exchange in the run's store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sevenfold.console import Console


def serve(folder: Path, host: str | None, port: int | None, emit: Callable[[object], None] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        folder: A run whose stage ``deploy`` is done.
        host: Another address than the recipe's.
        port: Another port than the recipe's.
        emit: Takes one object with the model's name and the address, instead of the sentence that a person gets.

    Raises:
        RecipeError: The run has no service yet, or the address is open to others and there is no key.
        MachineError: The port is in use.
    """
    from sevenfold.deploy.serve.server import run
    from sevenfold.deploy.service import Service
    from sevenfold.monitor.store import TRAFFIC_STORE, TrafficStore
    from sevenfold.recipe import Recipe
    from sevenfold.record import Record
    from sevenfold.setup.environment import Environment

    record = Record.open(folder)
    service = Service.open(record.stage_folder("deploy"))
    environment = Environment.open(record.stage_folder("setup"))
    given: dict[str, Any] = {"host": host, "port": port}
    settings = Recipe.from_file(folder / "recipe.yaml").deploy.serve.model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )

    def announce(address: str) -> None:
        if emit:
            emit({"model": service.model, "address": address})
        else:
            names = [service.model, *(f"{service.model}/{task}" for task in service.tasks)]
            Console().say(f"{', '.join(names)} at {address}/v1 (Ctrl-C stops)")

    with TrafficStore(folder / TRAFFIC_STORE) as store:
        engine = service.open_engine(environment.threads, settings.at_once, settings.context)
        run(engine, service.model, settings, store.append, announce)
