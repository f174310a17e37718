"""The same training by each optimiser, and the courses of the schedules, as pictures for ``docs/optimisers.md``.

``optimizers.py run`` trains the embedded model once with every optimiser of the registry, on the same rows from the
same start, each at the best of a few rates for it. Every training's losses are kept in ``benchmarks/optimizers.json``
as soon as they are there, so that a stopped run goes on. Behind the last one the picture and the table are written.
``optimizers.py draw`` draws both pictures again from what is kept.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from sevenfold import cores

cores.share()

if TYPE_CHECKING:
    import torch

    from sevenfold.tune.encoded import Encoded
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.section import TuneSection

HERE = Path(__file__).parent
KEPT, PAGE = HERE / "optimizers.json", HERE.parent / "docs" / "optimisers.md"
IMAGES = PAGE.parent / "images"
BEGIN, END = "<!-- optimisers:begin -->", "<!-- optimisers:end -->"
ROWS = {"cldr": {"languages": ["en", "fa"], "kinds": ["dates", "numbers", "words", "measures"], "count": 600}}
TUNE: dict[str, Any] = {
    "method": {"lora": {"rank": 8, "alpha": 16}},
    "batch": 8,
    "max_length": 128,
    "spike": 100.0,
    "validation_rows": 32,
}
"""What all trainings share; a rate that is too high shows as a high loss and stops nothing."""
RATES = {"sgd": 0.1, "adagrad": 1e-2, "adadelta": 10.0, "adafactor": 1e-2, "lion": 3e-4, "schedule_free": 3e-3}
"""The middle candidate of an optimiser's search; 1e-3 of all others."""
AROUND = (1 / 3, 1.0, 3.0)
FREE = {"schedule": {"constant": {"warmup": 0.1}}}
"""An optimiser that has no schedule of its own takes the cosine."""
COSINE = {"schedule": {"cosine": {"warmup": 0.1}}}


def candidates(name: str) -> list[float]:
    """The learning rates that are tried for an optimiser."""
    return [float(f"{RATES.get(name, 1e-3) * factor:.1g}") for factor in AROUND]


@dataclass
class Stand:
    """A network that starts anew for each training.

    Args:
        forward: With the method attached.
        start: Values of what moves, by name.
        rows: Rows to learn from and to watch.
        seed: Of their order.
    """

    forward: Forward
    start: dict[str, torch.Tensor]
    rows: dict[str, Encoded]
    seed: int

    def train(self, name: str, rate: float, steps: int) -> dict[str, Any]:
        """A training's losses, the loss on validation rows at its end, and its seconds."""
        from sevenfold.errors import TrainingError
        from sevenfold.record import Entry
        from sevenfold.tune.trainer import Trainer, moving

        section = tune_section({"optimizer": name, "learning_rate": rate, "steps": steps, "checkpoint_every": 10**6})
        for parameter, weight in moving(self.forward, section).items():
            weight.data.copy_(self.start[parameter])
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(
                self.forward, section, self.rows["train"], self.rows["validation"], self.seed, Entry(Path(folder))
            )
            started = time.perf_counter()
            try:
                trainer.train()
            except TrainingError:
                return {"losses": trainer.progress.losses, "validation": None, "seconds": None}
            ended = trainer.progress.validation_losses[steps]
        return {"losses": trainer.progress.losses, "validation": ended, "seconds": time.perf_counter() - started}


def tune_section(changes: dict[str, Any]) -> TuneSection:
    """The section of a training; an optimiser that wants a constant rate has one."""
    from sevenfold.tune.section import TuneSection

    schedule = FREE if changes.get("optimizer") == "schedule_free" else COSINE
    return TuneSection.model_validate({**TUNE, **schedule, **changes})


def stand(model: str, folder: Path) -> Stand:
    """Rows, network and start."""
    from sevenfold.load.section import LoadSection
    from sevenfold.load.stage import load
    from sevenfold.prepare.section import PrepareSection
    from sevenfold.prepare.stage import prepare
    from sevenfold.record import Entry
    from sevenfold.setup.section import SetupSection
    from sevenfold.setup.stage import setup
    from sevenfold.tune.stage import build
    from sevenfold.tune.tokens import encoded_split
    from sevenfold.tune.trainer import moving

    places = {name: folder / name for name in ("prepare", "load", "setup", "tune")}
    for place in places.values():
        place.mkdir()
    split = {"validation": 32, "test": 8}
    dataset = prepare(PrepareSection.model_validate({"source": ROWS, "split": split}), Entry(places["prepare"]))
    loaded = load(LoadSection(model=model), Entry(places["load"]))
    environment = setup(SetupSection(), Entry(places["setup"]))
    section, entry = tune_section({}), Entry(places["tune"])
    rows = {name: encoded_split(name, section, dataset, loaded, entry) for name in ("train", "validation")}
    environment.start()
    forward = build(section, loaded, environment)
    start = {name: weight.detach().clone() for name, weight in moving(forward, section).items()}
    return Stand(forward, start, rows, environment.seed)


def run(wanted: argparse.Namespace) -> None:
    """Train what is not kept yet, then draw."""
    from sevenfold.record import write_json
    from sevenfold.tune.optimizers import OPTIMIZERS

    kept = json.loads(wanted.kept.read_text(encoding="utf-8")) if wanted.kept.exists() else {}
    asked = {"steps": wanted.steps, "trial": wanted.trial, "model": wanted.model}
    if kept.get("asked") != asked:
        kept = {"asked": asked, "trials": {}, "runs": {}}
    with tempfile.TemporaryDirectory() as folder:
        made = stand(wanted.model, Path(folder))
        for name in OPTIMIZERS.names():
            tried = kept["trials"].setdefault(name, {})
            for rate in candidates(name):
                if f"{rate:g}" not in tried:
                    tried[f"{rate:g}"] = made.train(name, rate, wanted.trial)["validation"]
                    write_json(wanted.kept, kept)
            if name not in kept["runs"]:
                rate = best(tried)
                kept["runs"][name] = {"rate": rate, **made.train(name, rate, wanted.steps)}
                write_json(wanted.kept, kept)
            print(f"{name:14} rate {kept['runs'][name]['rate']:g}  loss {kept['runs'][name]['validation']}", flush=True)
    if wanted.kept == KEPT:
        draw(wanted)


def best(tried: dict[str, float | None]) -> float:
    """The rate with the lowest loss behind its short training."""
    return float(min(tried, key=lambda rate: float("inf") if tried[rate] is None else tried[rate]))


def draw(wanted: argparse.Namespace) -> None:
    """Both pictures, and the table on the page."""
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "schedules.svg").write_text(schedules(), encoding="utf-8")
    if not wanted.kept.exists():
        return
    kept = json.loads(wanted.kept.read_text(encoding="utf-8"))
    (IMAGES / "optimisers.svg").write_text(losses(kept), encoding="utf-8")
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n\n" + table(kept) + "\n\n" + END + rest.split(END)[1], encoding="utf-8")


def schedules(total: int = 200) -> str:
    """The factor of every schedule over a training, with the warm-up and fields of its defaults."""
    from sevenfold.tune.schedules import SCHEDULES

    found = {name: [SCHEDULES.find(name)().factor(step, total) for step in range(total)] for name in SCHEDULES.names()}
    shares = [(step + 1) / total for step in range(total)]
    return picture(
        {name: (shares, values) for name, values in found.items()}, "share of the steps", "factor of the rate"
    )


def losses(kept: dict[str, Any]) -> str:
    """The losses of every run, means over five steps."""
    lines = {}
    for name, found in sorted(kept["runs"].items(), key=lambda item: item[1]["validation"] or float("inf")):
        smooth = [fmean(found["losses"][max(0, step - 4) : step + 1]) for step in range(len(found["losses"]))]
        lines[f"{name}, {found['rate']:g}"] = (list(range(1, len(smooth) + 1)), smooth)
    return picture(lines, "step", "loss, nats per target")


def picture(lines: dict[str, tuple[list[Any], list[float]]], across: str, up: str) -> str:
    """Named lines as SVG with the same bytes for the same values."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    with matplotlib.rc_context({"svg.hashsalt": "sevenfold", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = pyplot.subplots(figsize=(9, 4.2), layout="constrained")
        colours = matplotlib.colormaps["tab20"].colors
        for number, (name, (xs, ys)) in enumerate(lines.items()):
            axes.plot(xs, ys, label=name, color=colours[number * 2 % 20 + (number >= 10)], linewidth=1.5)
        axes.set(xlabel=across, ylabel=up)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside right center", frameon=False)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
        pyplot.close(figure)
    return "".join(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines())


def table(kept: dict[str, Any]) -> str:
    """The picture's figures."""
    asked = kept["asked"]
    lines = [
        "![The loss of the same training by each optimiser](images/optimisers.svg)",
        "",
        f"LoRA of rank 8 on {asked['model']}, {asked['steps']} steps of 8 rows of the Persian task, each optimiser at",
        f"the best of three rates by a training of {asked['trial']} steps; highest: of these the highest, so that a",
        "better one may lie beyond. Lowest loss on validation rows first; one seed, so neighbours are in no order.",
        "",
        "| optimiser | rate | validation loss |",
        "|---|---:|---:|",
    ]
    for name, found in sorted(kept["runs"].items(), key=lambda item: item[1]["validation"] or float("inf")):
        highest = " (highest)" if found["rate"] == max(map(float, kept["trials"][name])) else ""
        loss = "diverged" if found["validation"] is None else f"{found['validation']:.3f}"
        lines.append(f"| `{name}` | {found['rate']:g}{highest} | {loss} |")
    return "\n".join(lines)


def main() -> None:
    """Read the command line and do the part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("run", "draw"))
    parser.add_argument("--steps", type=int, default=40, help="steps of each run")
    parser.add_argument("--trial", type=int, default=8, help="steps of each candidate's training")
    parser.add_argument("--model", default="smollm2-135m", help="a catalogue name or a folder")
    parser.add_argument("--kept", type=Path, default=KEPT, help="the file of figures")
    wanted = parser.parse_args()
    {"run": run, "draw": draw}[wanted.part](wanted)


if __name__ == "__main__":
    main()
