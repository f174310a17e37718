"""The command ``monitor``: what the traffic looks like, as tables and as a picture."""

from __future__ import annotations

from pathlib import Path

from sevenfold.console import Console
from sevenfold.monitor import summary
from sevenfold.monitor.observations import Observations
from sevenfold.record import Record

PLOT_FILE = "traffic.png"


def draw(record: Record, console: Console) -> Path | None:
    """Plot the newest windows into the stage's folder; gives the picture, None when there was no traffic."""
    observations = Observations.open(record.stage_folder("monitor"))
    if not observations.windows:
        return None
    path = summary.plot(observations, observations.folder / PLOT_FILE)
    console.say(f"plot: {path}")
    return path


def show(record: Record, console: Console) -> None:
    """The tables of the newest windows."""
    for table in summary.tables(Observations.open(record.stage_folder("monitor"))):
        console.table(*table)
