"""What augmentation makes and refuses on two real sets, and what noise an epsilon costs: see docs/more-data.md.

    .venv/bin/python benchmarks/more_data.py

The sets come with the Python packages: 500 documented functions of the standard library, and 500 questions in English
and Persian about dates, numbers and names of the CLDR. Nothing is fetched; some minutes on two cores.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sevenfold.console import Console
from sevenfold.prepare.making.gaussian import noise_for
from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.stage import prepare
from sevenfold.record import Entry

ROWS = 500
SETS: dict[str, Any] = {
    "stdlib": {"python": "stdlib"},
    "cldr": {"cldr": {"languages": ["en", "fa"], "ask": ["en", "fa"], "count": 3000}},
}
WAYS = ("typos", "characters", "words", "sentences", "case_digits")
EPSILONS = (0.5, 1.0, 2.0, 4.0, 8.0)


def augmented(source: Any, ways: list[Any], folder: Path) -> dict[str, Any]:
    """One copy a training row of one set; the figures that the report has, and the seconds of the whole stage."""
    section = PrepareSection(source=source, limit=ROWS, training=[{"augment": {"ways": ways}}])
    begun = time.perf_counter()
    dataset = prepare(section, Entry(folder, console=Console(quiet=True)))
    figures: dict[str, Any] = dataset.report()["training"][0]["figures"]
    return {**figures, "seconds": round(time.perf_counter() - begun, 1)}


def main() -> None:
    """Print one line of JSON a figure."""
    with tempfile.TemporaryDirectory() as folder:
        for name, source in SETS.items():
            for ways in (*([way] for way in WAYS), list(WAYS)):
                found = augmented(source, ways, Path(folder) / f"{name}-{'-'.join(ways)}")
                sys.stdout.write(json.dumps({"set": name, "ways": ways, **found}) + "\n")
    for epsilon in EPSILONS:
        noise = {rounds: round(noise_for(epsilon, 1e-5, rounds), 2) for rounds in (1, 4)}
        sys.stdout.write(json.dumps({"epsilon": epsilon, "delta": 1e-5, "noise by rounds": noise}) + "\n")


if __name__ == "__main__":
    main()
