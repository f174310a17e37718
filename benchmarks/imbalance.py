"""Eight ways against imbalance on one real, imbalanced set: ``make imbalance``.

The set: the messages with which functions of Python's standard library raise their errors; the label is the error.
Nobody balanced them: for each KeyError there are 45 ValueErrors. Every way tunes the embedded model for the same
number of steps on the same training rows, with the last block and the head moving, and is asked on the same held-out
rows; three seeds, each with a split of its own. Every run's figures go to ``benchmarks/imbalance.json`` at once, so
that the same command goes on where it was stopped; it ends by writing the table and the picture of
``docs/imbalance.md``. ``--write`` writes them of what is kept.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import sys
import sysconfig
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import imbalance_report as report
from imbalance_report import COMMON, LABELS, NOTHING, packed
from training import machine

from sevenfold.record import write_json

HERE = Path(__file__).parent
KEPT, PAGE = HERE / "imbalance.json", HERE.parent / "docs" / "imbalance.md"
WORK = HERE.parent / "runs" / ".imbalance"
SKIPPED = frozenset({"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "__pycache__"})
TEST = 0.35
FIRST = 10
"""Ways that are measured on all splits before their variants are."""
TUNE: dict[str, Any] = {
    "method": {"layers": {"last": 1}},
    "learning_rate": 5e-4,
    "batch": 32,
    "steps": 150,
    "tokens_per_pass": 2048,
    "keep": "last",
    "validate_every": 1000,
    "checkpoint_every": 1000,
}
COSTS = {rare: dict.fromkeys(LABELS, 5.0) | {rare: 0.0} for rare in LABELS[COMMON:]}
"""To miss a rare label costs five times as much as to miss a common one."""


@dataclass(frozen=True)
class Way:
    """A way's settings.

    Args:
        training: Of ``prepare``.
        objective: Fields of ``classify``.
        tune: Other fields of ``tune``.
    """

    training: list[Any] = field(default_factory=list)
    objective: dict[str, Any] = field(default_factory=dict)
    tune: dict[str, Any] = field(default_factory=dict)


def ways() -> dict[str, Way]:
    """Each way's settings: changes of the training rows, fields of the objective, and other fields of ``tune``."""
    return {
        NOTHING: Way(),
        "balanced batches": Way([], {}, {"balanced": "reply"}),
        "SMOTE": Way([], {"smote": 1.0}),
        "class weights": Way([], {"weights": "balanced"}),
        "over-sampling": Way(["oversample"]),
        "under-sampling": Way([{"undersample": {"to": 5.0}}]),
        "focal loss": Way([], {"gamma": 2.0}),
        "cost matrix": Way([], {"costs": COSTS}),
        "bagging": Way([], {"ensemble": "bagging"}),
        "boosting": Way([], {"ensemble": "boosting"}),
        "under-sampling at the border": Way([{"undersample": {"to": 5.0, "how": "near_miss"}}]),
        "under-sampling by clusters": Way([{"undersample": {"to": 5.0, "how": "clusters"}}]),
        "over-sampling to a quarter": Way([{"oversample": {"to": 0.25}}]),
        "mislabelled rows removed": Way(["label_issues"]),
        "SMOTE half way, balanced batches": Way([], {"smote": 0.5}, {"balanced": "reply"}),
    }


def messages() -> Iterator[tuple[str, str]]:
    """Messages and the errors that they are raised with, in the standard library's code."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.rglob("*.py")):
        if SKIPPED.isdisjoint(path.relative_to(root).parts):
            try:
                tree = ast.parse(path.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                    name, text = ast.unparse(node.exc.func), said(node.exc.args[0])
                    if name in LABELS and len(text) >= 8:
                        yield text, name


def said(node: ast.expr) -> str:
    """The words of a message; what is filled in when it is raised is a pair of braces."""
    if isinstance(node, ast.BinOp):
        return said(node.left)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return said(node.func.value)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def write_rows(path: Path) -> dict[str, int]:
    """The messages, each once; those that are raised with two errors are left out. Gives the rows of each label."""
    labels = defaultdict(set)
    for text, name in messages():
        labels[" ".join(text.split())[:160]].add(name)
    rows = [(text, names.pop()) for text, names in sorted(labels.items()) if len(names) == 1]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in rows), encoding="utf-8")
    return dict(Counter(name for _, name in rows).most_common())


def one(way: Way, seed: int) -> dict[str, Any]:
    """What a way says on one split, and what that took."""
    import sevenfold
    from sevenfold.generate.engine import Sampling

    folder = fresh(WORK / str(seed))
    dataset = sevenfold.prepare(
        folder / "1-prepare",
        source=str(WORK / "rows.jsonl"),
        clean=["empty"],
        split={"validation": 0, "test": TEST, "seed": seed, "how": {"stratified": "label"}},
        training=way.training,
    )
    model = sevenfold.load(WORK / "2-load", template="plain")
    environment = sevenfold.setup(WORK / "3-setup", seed=seed, threads=1)
    started = time.perf_counter()
    objective = {"classify": {"state": "mean", "labels": LABELS, **way.objective}}
    tuned = sevenfold.tune(folder / "4-tune", dataset, model, environment, objective=objective, **TUNE, **way.tune)
    seconds = time.perf_counter() - started
    engine = tuned.engine(tuned.network(model, environment.dtype), model, model.encoder(), 64)
    rows = sorted(dataset.rows("test"), key=lambda row: (len(row.conversation.prompt()[0].content), row.origin))
    prompts = [model.encoder().prompt(row.conversation.prompt()) for row in rows]
    parts = (prompts[start : start + 64] for start in range(0, len(prompts), 64))
    answers = [answer for part in parts for answer in engine.generate(part, Sampling())]
    train = Counter(row.conversation.reference() for row in dataset.rows("train"))
    return {
        "train": {label: train[label] for label in LABELS},
        "true": "".join(str(LABELS.index(row.conversation.reference())) for row in rows),
        "said": "".join(str(LABELS.index(answer.text)) for answer in answers),
        "probs": "".join(packed(answer.labels[label]) for answer in answers for label in LABELS),
        "seconds": round(seconds, 1),
    }


def fresh(folder: Path) -> Path:
    """The folder without an earlier run, but for what the frozen blocks give: that is the same in all runs of a seed.

    The cache is taken over as a training that was stopped would find it (``tune/engine/trunk.py``).
    """
    from sevenfold.tune.engine import trunk

    kept, place = folder / "4-tune" / "trunk", folder / "trunk"
    if kept.exists():
        shutil.rmtree(place, ignore_errors=True)
        shutil.move(kept, place)
    for part in ("1-prepare", "4-tune"):
        shutil.rmtree(folder / part, ignore_errors=True)
    (folder / "4-tune").mkdir(parents=True)
    if place.exists():
        shutil.move(place, kept)
    trunk.remove = lambda _: None
    return folder


def measure(kept: dict[str, Any], name: str, way: Way, seed: str) -> None:
    """Run a way on one split, if that was not done with the same settings, and keep its figures."""
    asked = {"way": asdict(way), "tune": TUNE}
    before = kept["runs"].get(name, {}).get(seed)
    if not before or before["asked"] != asked:
        kept["runs"].setdefault(name, {})[seed] = {"asked": asked, **one(way, int(seed))}
        write_json(KEPT, kept)
        sys.stderr.write(f"seed {seed}, {name}: {kept['runs'][name][seed]['seconds']} s\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="splits; further ones are added to those that are kept")
    parser.add_argument("--only", nargs="*", default=[], help="ways; default: all")
    parser.add_argument("--write", action="store_true", help="run nothing, write the page of what is kept")
    wanted = parser.parse_args()
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {"runs": {}}
    if not wanted.write:
        kept |= {"rows": write_rows(WORK / "rows.jsonl"), "machine": machine()}
        every = {name: way for name, way in ways().items() if not wanted.only or name in wanted.only}
        for names in (list(every)[:FIRST], list(every)[FIRST:]):
            for seed in map(str, range(1, wanted.seeds + 1)):
                for name in names:
                    measure(kept, name, every[name], seed)
    report.write(kept, PAGE)


if __name__ == "__main__":
    main()
