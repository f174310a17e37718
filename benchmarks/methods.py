"""Every method on the same work, beside full tuning and beside what its paper claims: ``make methods``.

Three parts, each with its own command; each writes its tables between the marks of ``benchmarks/methods.md``, and the
decision table and the figures of ``docs/methods.md``:

- ``speed``: one process a method, a few steps of the embedded model on the same rows;
- ``quality``: the tables of finished comparisons (``sevenfold compare recipes/compare-methods.yaml``);
- ``claims``: what papers claim, beside what is counted and measured here.

All figures are kept in ``benchmarks/methods.json``, so that a stopped ``speed`` goes on and every part can be written
again by itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from methods_parts import claims as claimed
from methods_parts import quality as compared
from methods_parts import tables
from training import machine

HERE = Path(__file__).parent
RESULTS, PAGE, KEPT = HERE / "methods.md", HERE.parent / "docs" / "methods.md", HERE / "methods.json"
WORK = HERE.parent / "runs" / ".methods"
GROUP = 6
"""Methods between two runs of ``full``: each is compared with the one that ran just before its group."""
ONE_PASS = {"tokens_per_pass": 8192}
IN_BACKWARD = {"clip": None, "engine": {"step_in_backward": True}, **ONE_PASS}
COMPARISONS = {
    "en": "runs/compare-methods/comparison.json",
    "more": "runs/compare-methods-more/comparison.json",
    "fa": "runs/compare-methods-fa/comparison.json",
}


def contestants(adapters: list[str]) -> dict[str, dict[str, Any]]:
    """The section ``tune`` of each contestant: every method that trains with its defaults, and forms of some.

    Args:
        adapters: Folders of LoRA adapters, for the method that stands on others.
    """
    from sevenfold.tune.methods import METHODS

    names = [name for name in METHODS.names() if METHODS.find(name).trains]
    found: dict[str, dict[str, Any]] = {name: {"method": name} for name in names}
    found["fusion"]["method"] = {"fusion": {"adapters": adapters}}
    # Rates at which nothing jumps in a few steps; what is learnt is not asked here.
    found["mezo"]["learning_rate"] = 1e-6
    found["lomo"] |= ONE_PASS
    return found | {
        "lomo, no clipping": {"method": "lomo", "clip": None, **ONE_PASS},
        "layers, first 2 and last 2": {"method": {"layers": {"first": 2, "last": 2}}},
        "qlora, 8 bits": {"method": {"qlora": {"bits": 8}}},
        "full, one pass": {"method": "full", **ONE_PASS},
        "full, steps in backward": {"method": "full", **IN_BACKWARD},
        "galore, steps in backward": {"method": "galore", **IN_BACKWARD},
        "reading": {},
    }


class Kept:
    """All figures, in one file that is written after each measurement."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.all: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def put(self, part: str, found: Any) -> None:
        """Keep what a part found."""
        from sevenfold.record import write_json

        self.all[part] = found
        write_json(self.path, self.all)


def speed(wanted: argparse.Namespace, kept: Kept) -> None:
    """Measure what is not there yet; what failed is tried again."""
    asked = {"steps": wanted.steps, "warm": wanted.warm}
    found = {"asked": asked, "references": [], "records": []}
    if not wanted.fresh:
        found = kept.all.get("speed", found)
    if found["asked"] != asked:
        steps, warm = found["asked"]["steps"], found["asked"]["warm"]
        raise SystemExit(f"{kept.path} has figures of {steps} steps, {warm} of them not counted; --fresh forgets them")
    every = contestants([str(WORK / name) for name in ("one", "two")])
    for number in range(wanted.rounds):
        asked_now = [name for name in every if name != "full" and (not wanted.only or name in wanted.only)]
        for group in groups([name for name in asked_now if not measured(found, number, name)]):
            found["references"].append(one(every, "full", wanted))
            for name in group:
                record = {"round": number, "beside": len(found["references"]) - 1, "found": one(every, name, wanted)}
                same_work(record["found"], found["references"][-1])
                others = [old for old in found["records"] if (old["round"], old["found"]["name"]) != (number, name)]
                found |= {"records": [*others, record], "machine": machine()}
                kept.put("speed", found)


def measured(found: dict[str, Any], number: int, name: str) -> bool:
    """Whether a round has a method's figures."""
    here = (record["found"] for record in found["records"] if record["round"] == number)
    return any(one["name"] == name and "failure" not in one for one in here)


def groups(names: list[str]) -> list[list[str]]:
    """Names in groups of at most :data:`GROUP`, as equal as they can be."""
    count = -(-len(names) // GROUP)
    return [names[place::count] for place in range(count)]


def one(every: dict[str, dict[str, Any]], name: str, wanted: argparse.Namespace) -> dict[str, Any]:
    """A contestant's figures, from a process of its own; or why there are none."""
    prepare()
    words = [str(WORK), str(wanted.steps), str(wanted.warm), name, json.dumps(every[name])]
    command = [sys.executable, str(HERE / "methods_parts" / "one.py"), *words]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=False)
    if ended.returncode:
        if name == "full":
            raise SystemExit(ended.stderr[-3000:])
        sys.stderr.write(f"{name} failed:\n{ended.stderr[-3000:]}\n")
        return {"name": name, "failure": ended.stderr.strip().splitlines()[-1][:200]}
    found: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    sys.stderr.write(f"{name}: {found['seconds']:.1f} s, {found['peak_bytes'] / 1e9:.2f} GB\n")
    return found


def same_work(found: dict[str, Any], reference: dict[str, Any]) -> None:
    """Refuse figures of other rows than the reference's."""
    if "failure" not in found and (found["rows"], found["tokens"]) != (reference["rows"], reference["tokens"]):
        raise SystemExit(f"{found['name']} read other rows than {reference['name']}: nothing can be compared")


def prepare() -> None:
    """The demo's rows, the embedded model, and two adapters whose B is drawn at random."""
    import torch

    import sevenfold
    from sevenfold.tune.methods.lora import Lora

    if (WORK / "ready").exists():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    rules = ["unicode", "whitespace", "empty", {"length": 900}, "duplicates"]
    sevenfold.prepare(WORK / "1-prepare", source={"python": "stdlib"}, clean=rules, limit=700)
    model = sevenfold.load(WORK / "2-load")
    method = Lora()
    for seed, name in enumerate(("one", "two")):
        torch.manual_seed(seed)
        network = model.network(torch.bfloat16)
        method.attach(network)
        for weight_name, weight in method.trainable(network).items():
            if "lora_B" in weight_name:
                torch.nn.init.normal_(weight, std=0.01)
        (WORK / name).mkdir(exist_ok=True)
        method.save(network, WORK / name, model.card.name)
    (WORK / "ready").touch()


def quality(wanted: argparse.Namespace, kept: Kept) -> None:
    """Take what the tables need of comparisons that are there."""
    found = kept.all.get("quality", {})
    for name in COMPARISONS:
        path = Path(getattr(wanted, name))
        if path.exists():
            told = json.loads(path.read_text(encoding="utf-8"))
            found[name] = compared.taken(told, compared.machine_of(path.parent))
        else:
            sys.stderr.write(f"{path} is not there; the tables of {name} stay as they are\n")
    kept.put("quality", found)


def claims(_: argparse.Namespace, kept: Kept) -> None:
    """Count and measure what can be counted and measured by itself."""
    prepare()
    kept.put("claims", {"counted": claimed.counted(WORK / "2-load"), "machine": machine()})


def write(kept: Kept) -> None:
    """Put all tables that have figures between their marks, in the results and in the page."""
    texts = tables.texts(kept.all)
    for path in (RESULTS, PAGE):
        text = path.read_text(encoding="utf-8")
        for mark, found in texts.items():
            text = tables.between(text, mark, found)
        path.write_text(text, encoding="utf-8")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    part = parts.add_parser("speed", help="time and memory of every method")
    part.add_argument("--rounds", type=int, default=1, help="how often each method runs")
    part.add_argument("--steps", type=int, default=4, help="optimiser steps of a run")
    part.add_argument("--warm", type=int, default=1, help="the first steps, which do not count")
    part.add_argument("--only", nargs="+", default=[], metavar="METHOD", help="these methods alone")
    part.add_argument("--fresh", action="store_true", help="forget what was measured before")
    part.set_defaults(run=speed)
    part = parts.add_parser("quality", help="the tables of finished comparisons")
    for name, path in COMPARISONS.items():
        part.add_argument(f"--{name}", default=str(HERE.parent / path), metavar="FILE", help=f"default: {path}")
    part.set_defaults(run=quality)
    part = parts.add_parser("claims", help="claims of papers beside counts and measurements")
    part.set_defaults(run=claims)
    part = parts.add_parser("write", help="write the tables again from the figures that are kept")
    part.set_defaults(run=lambda wanted, kept: None)
    return parser


def main() -> None:
    wanted = arguments().parse_args()
    kept = Kept(KEPT)
    wanted.run(wanted, kept)
    write(kept)


if __name__ == "__main__":
    main()
