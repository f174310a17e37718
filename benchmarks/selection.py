"""Half of the training rows against all of them: ``selection.py run``, resumable, then ``selection.py write``.

The names of 15 languages from the CLDR, learnt by the embedded model with a LoRA adapter and a head. Every contestant
trains the same number of epochs, so that half of the rows are half of the steps and half of the time; ``all, half the
steps`` takes as many steps as they do. The held-out rows are the same for all. Each figure is kept in
``benchmarks/selection.json`` as soon as it is there, so that a stopped run goes on; the table stands in
``docs/selection.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from sevenfold import cores

cores.share()

HERE = Path(__file__).parent
KEPT, PAGE = HERE / "selection.json", HERE.parent / "docs" / "selection.md"
MARKS = "<!-- selection -->", "<!-- selection ends -->"
HALF = ("random", "deft", "effort", "influence", "diverse", "error_potential")
ALL, SHORT = "all", "all, half the steps"
EPOCHS, BATCH = 1, 16
SEEDS = (1, 2)


def one(name: str, seed: int) -> dict[str, Any]:
    """One training and its figures on the held-out rows."""
    import sevenfold

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        training = [] if name in (ALL, SHORT) else [{"select": {"by": name, "share": 0.5}}]
        begun = time.perf_counter()
        dataset = sevenfold.prepare(
            folder / "1-prepare",
            source={"languages": {"each": 120}},
            format="labelled",
            split={"validation": 30, "test": 300, "how": {"stratified": "label"}},
            training=training,
        )
        prepared = time.perf_counter() - begun
        model = sevenfold.load(folder / "2-load")
        environment = sevenfold.setup(folder / "3-setup", seed=seed)
        steps = EPOCHS * dataset.counts["train"] // (2 * BATCH)
        length: dict[str, Any] = {"steps": steps} if name == SHORT else {"epochs": EPOCHS}
        begun = time.perf_counter()
        tuned = sevenfold.tune(
            folder / "4-tune",
            dataset,
            model,
            environment,
            objective="classify",
            method={"lora": {"rank": 8, "alpha": 16}},
            batch=BATCH,
            max_length=64,
            **length,
            learning_rate=1e-3,
            schedule={"cosine": {"warmup": 0.1}},
        )
        trained = time.perf_counter() - begun
        counts = dict(dataset.counts)
        report = sevenfold.evaluate(
            folder / "5-evaluate",
            dataset,
            model,
            environment,
            tuned,
            rows=counts["test"],
            metrics=["accuracy"],
            max_new_tokens=4,
            general_text="none",
        )
    return {
        "name": name,
        "seed": seed,
        "rows": counts["train"],
        "test_rows": counts["test"],
        "accuracy": report.metrics["accuracy"].tuned,
        "prepare_seconds": round(prepared, 1),
        "train_seconds": round(trained, 1),
    }


def kept() -> list[dict[str, Any]]:
    """What was measured before."""
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []


def run(_: argparse.Namespace) -> None:
    """Measure what is not there yet."""
    from sevenfold.record import write_json

    for seed in SEEDS:
        for name in (ALL, *HALF, SHORT):
            found = kept()
            if any((old["name"], old["seed"]) == (name, seed) for old in found):
                continue
            found.append(one(name, seed))
            write_json(KEPT, found)
            sys.stderr.write(f"{found[-1]}\n")


def write(_: argparse.Namespace) -> None:
    """The table between the marks of the page."""
    lines = [
        "| training rows | rows | seeds | accuracy, mean | between seeds | training, s |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in (ALL, SHORT, *HALF):
        records = [old for old in kept() if old["name"] == name]
        if records:
            found = [old["accuracy"] for old in records]
            spread = f"{stdev(found):.3f}" if len(found) > 1 else "one seed"
            seconds = fmean(old["train_seconds"] for old in records)
            title = name if name in (ALL, SHORT) else f"half, {name}"
            lines.append(
                f"| {title} | {records[0]['rows']:,} | {len(found)} | {fmean(found):.3f} | {spread} | {seconds:.0f} |"
            )
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    behind = rest.split(MARKS[1])[1]
    PAGE.write_text("\n\n".join([before + MARKS[0], "\n".join(lines), MARKS[1] + behind]), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    parts.add_parser("run", help="train what was not trained yet").set_defaults(run=run)
    parts.add_parser("write", help="write the table").set_defaults(run=write)
    wanted = parser.parse_args()
    wanted.run(wanted)


if __name__ == "__main__":
    main()
