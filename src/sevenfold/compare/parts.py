"""The parts of a comparison's page."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from sevenfold.compare import pictures
from sevenfold.compare.verdict import COSTS, NOUNS
from sevenfold.report.blocks import Cell, Part, Plot, Prose, Sample, Table
from sevenfold.report.parts.evaluation import FORGETTING_TONES, PLACES, TONES
from sevenfold.report.parts.training import PER_TOKEN
from sevenfold.report.words import duration, number, signed, size

Told = dict[str, Any]
STATES = {"done": "good", "failed": "bad", "waiting": "unsure"}


def done_of(told: Told) -> list[Told]:
    """The variants that are done."""
    return [one for one in told["variants"] if one["state"] == "done"]


def table(told: Told, source: str) -> Part:
    """Every variant beside the base: what it costs, and how good it is."""
    done = done_of(told)
    blocks: list[Any] = [costs(told, source)]
    if done:
        blocks += [quality(told, source), *watched(told, source), *plots(told, source)]
    return Part("Variants", blocks)


def costs(told: Told, source: str) -> Table:
    """What each variant costs; one that failed says why."""
    columns = ("variant", "state", "training", "tokens/s", "peak memory", "trained", "share", "on disk", "chosen")
    rows: list[list[Cell | str]] = [
        [base["name"], "", "", "", "", "0", "0 %", f"{size(base['size_bytes'])} (whole)", ""] for base in told["bases"]
    ]
    for one in told["variants"]:
        rows.append([one["name"], Cell(one["state"], STATES[one["state"]]), *(figures(one) or [""] * 6), chosen(one)])
    caption = (
        "Training is the time of the optimiser's steps; the peak of memory is that of the training, in a process of "
        "its own; on disk is what was learnt."
    )
    return Table(columns, rows, source, caption=caption)


def figures(one: Told) -> list[str]:
    """A variant's costs as cells; nothing where it is not done."""
    if one["state"] != "done":
        return []
    return [
        duration(one["seconds"]),
        number(one["tokens_per_second"]),
        size(one["peak_memory_bytes"]),
        number(one["trainable_parameters"]),
        f"{100 * one['share']:.3g} %",
        size(one["size_bytes"]),
    ]


def chosen(one: Told) -> str:
    """What its search chose, or why it has no figures."""
    if one["failure"]:
        return str(one["failure"]["problem"])
    return ", ".join(f"{key.rpartition('.')[2]} {number(value)}" for key, value in one["chosen"].items())


def quality(told: Told, source: str) -> Table:
    """How good each variant is: validation loss, every metric with its gain over the base, and what it forgot."""
    done, same = done_of(told), told["same_loss"]
    names = list(dict.fromkeys(chain.from_iterable(one["metrics"] for one in done)))
    rows: list[list[Cell | str]] = [
        [
            base["name"],
            number(base["validation_loss"] if same else None),
            *(number(base["metrics"].get(name)) for name in names),
            "",
        ]
        for base in told["bases"]
    ]
    for one in done:
        cells: list[Cell | str] = [measured(one["metrics"].get(name)) for name in names]
        rows.append([one["name"], number(one["validation_loss"]), *cells, forgotten(one)])
    first = done[0]["metrics"]
    directions = {name: metric["direction"] for one in done for name, metric in one["metrics"].items()}
    arrows = {name: "↑" if direction == "higher" else "↓" for name, direction in directions.items()}
    caption = (
        f"{done[0]['rows']} of {done[0]['available']} rows of the split {done[0]['split']}. In brackets: the "
        f"difference from the base, with its {next(iter(first.values()))['confidence']:.0%} interval from a paired "
        "bootstrap over rows. General text: the rise of the loss on passages that have nothing to do with the task, "
        "nats per token."
    )
    if not same:
        caption += " Each objective has a validation loss of its own: these say nothing of one variant against another."
    columns = (
        "variant",
        "validation loss ↓" if same else "its own validation loss",
        *(f"{name} {arrows.get(name, '')}" for name in names),
        "general text ↓",
    )
    return Table(columns, rows, source, caption=caption)


def watched(told: Told, source: str) -> list[Table]:
    """What each objective watches on validation rows beside its loss; nothing where none does."""
    rows = [
        [
            one["name"],
            next(iter(one["objective"])) if "file" not in one["objective"] else one["objective"]["file"],
            number(one["validation_loss"]),
            ", ".join(
                f"{name} {number(value)} (from {number(one['base_watched'].get(name))})"
                for name, value in one["watched"].items()
            ),
        ]
        for one in done_of(told)
    ]
    if told["same_loss"] and not any(row[-1] for row in rows):
        return []
    columns = ("variant", "objective", "its loss", "what it watches, at the kept step (before the first)")
    caption = "On validation rows, by which each training keeps its weights; figures of one name are of one kind."
    return [Table(columns, rows, source, words=True, caption=caption)]


def measured(metric: Told | None) -> Cell | str:
    """A metric's figure with its gain over the base."""
    if metric is None:
        return "–"
    low, high = metric["interval"]
    text = f"{number(metric['tuned'])} ({signed(metric['difference'])}: {signed(low)} to {signed(high)})"
    return Cell(text, TONES[metric["better"]])


def forgotten(one: Told) -> Cell | str:
    """What general text lost."""
    found = one["forgetting"]
    if not found:
        return "–"
    low, high = found["comparison"]["interval"]
    text = f"{signed(found['comparison']['difference'])} ({signed(low)} to {signed(high)}), {found['verdict']}"
    return Cell(text, FORGETTING_TONES[found["verdict"]])


def plots(told: Told, source: str) -> list[Plot]:
    """Gains with their intervals, and gains against the cost that counts."""
    done, judge, cost = done_of(told), told["judge"], told["cost"]
    lower = done[0]["metrics"][judge]["direction"] == "lower"
    scale = {"time": 1.0, "memory": 1e9, "size": 1e6}[cost]
    unit = {"time": "s", "memory": "GB", "size": "MB"}[cost]
    points = [
        pictures.Point(
            one["name"],
            one["metrics"][judge]["difference"],
            tuple(one["metrics"][judge]["interval"]),
            one["metrics"][judge]["better"],
            one[COSTS[cost]] / scale,
        )
        for one in done
    ]
    label = f"{NOUNS[cost]}, {unit}"
    return [
        Plot(pictures.gains(points, judge, lower), "Right of the line is better than the base.", source, wide=True),
        Plot(pictures.trade(points, judge, label, lower), "Upper left is better and cheaper.", source, wide=True),
    ]


def training(curves: Mapping[str, Told], told: Told, source: str) -> Part | None:
    """The curves of all variants."""
    if not curves:
        return None
    found = [
        pictures.Curve(name, tuned["losses"], {int(at): loss for at, loss in tuned["validation_losses"].items()})
        for name, tuned in curves.items()
    ]
    rows = [(one["name"], one["curve"]["verdict"], one["curve"]["reason"]) for one in done_of(told)]
    caption = "Step 0 of the validation is the base model."
    objectives = {next(iter(one["objective"])) for one in done_of(told)}
    unit = "nats per token" if objectives <= set(PER_TOKEN) else ""
    if not told["same_loss"]:
        unit, caption = "each of its own objective", f"{caption} Losses of different objectives cannot be compared."
    return Part(
        "Training",
        [
            Plot(pictures.curves(found, unit), caption, source, wide=True),
            Table(("variant", "curve", "why"), rows, source, words=True),
        ],
    )


def between(told: Told, source: str) -> Part | None:
    """Every two variants on the same rows, by the metric that judges."""
    pairs = told["pairs"]
    if not pairs:
        return None
    names = list(dict.fromkeys(chain.from_iterable((pair["first"], pair["second"]) for pair in pairs)))
    cells = {(pair["second"], pair["first"]): versus(pair) for pair in pairs}
    rows = [[name, *(cells.get((name, other), "") for other in names[:-1])] for name in names[1:]]
    caption = (
        f"Difference in {told['judge']}, the row's variant less the column's, on the same rows, with intervals of "
        f"{pairs[0]['confidence']:.1%}. Green: the row's variant is clearly better; red: clearly worse."
    )
    return Part("Between variants", [Table(["", *names[:-1]], rows, source, caption=caption)])


def versus(pair: Told) -> Cell:
    """One pair's difference."""
    low, high = pair["interval"]
    return Cell(f"{signed(pair['difference'])} ({signed(low)} to {signed(high)})", TONES[pair["better"]])


def search(told: Told, source: str) -> Part | None:
    """Every candidate's validation loss."""
    rows = [
        (
            one["name"],
            ", ".join(f"{key} {number(value)}" for key, value in tried["candidate"].items()),
            outcome(tried, one),
        )
        for one in told["variants"]
        for tried in one["search"]
    ]
    if not rows:
        return None
    prose = Prose(
        "Each candidate was trained for a few steps with a schedule of that length; the lowest validation loss was "
        "taken."
    )
    return Part("Search", [prose, Table(("variant", "candidate", "validation loss"), rows, source, words=True)])


def outcome(tried: Told, one: Told) -> Cell | str:
    """What a candidate came to."""
    if tried["failure"]:
        return Cell(tried["failure"]["problem"], "bad")
    taken = tried["candidate"] == one["chosen"]
    return Cell(f"{number(tried['validation_loss'])}, taken", "good") if taken else number(tried["validation_loss"])


def samples(told: Told, rows: Mapping[str, list[Told]]) -> Part | None:
    """All variants' answers at fixed places of the ranking by the mean gain, so that nobody picks the nice ones."""
    judge = told["judge"]
    first = next(iter(rows.values()), [])
    same = {name: found for name, found in rows.items() if asked(found) == asked(first) and "text" in found[0]["tuned"]}
    if not same:
        return None
    done = {one["name"]: one for one in done_of(told)}
    sign = 1 if done[next(iter(same))]["metrics"][judge]["direction"] == "higher" else -1

    def gain(index: int) -> float:
        """The mean over variants of what they gained on a row."""
        values = [
            (found[index]["tuned"]["values"][judge], found[index]["base"]["values"][judge]) for found in same.values()
        ]
        return sign * sum(tuned - base for tuned, base in values) / len(values)

    ranked = sorted(range(len(first)), key=gain, reverse=True)
    opening = Prose(f"Rows at fixed places of the {len(first)} that were asked, ranked by their mean gain in {judge}.")
    last = len(ranked) - 1
    shown = [sample(ranked[round(share * last)], label, same) for share, label in PLACES.items()]
    return Part("Answers", [opening, *shown])


def asked(rows: list[Told]) -> list[Any]:
    """What tells the questions of some rows."""
    return [(row["row"], row["origin"], row["prompt"]) for row in rows]


def sample(index: int, label: str, rows: Mapping[str, list[Told]]) -> Sample:
    """One row with everybody's answer."""
    row = next(iter(rows.values()))[index]
    prompt = "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in row["prompt"])
    texts = [("prompt", prompt), ("reference", row["reference"]), ("base", row["base"]["text"])]
    texts += [(name, found[index]["tuned"]["text"]) for name, found in rows.items()]
    name = next(iter(rows))
    return Sample(f"{row['origin']}, {label}", texts, f"{name}/5-evaluate/rows.jsonl")


def variants(told: Told, source: str) -> Part:
    """Each variant's command, which makes the same run by hand, with the run's own page; and why some have none."""
    rows = []
    for one in told["variants"]:
        failure = one["failure"]
        words = [failure[key] for key in ("problem", "where", "expected", "next") if failure and failure[key]]
        page = f"{one['name']}/report.html" if one["state"] == "done" else ""
        rows.append((one["name"], "\n".join(map(str, words)) if failure else one["command"], page))
    columns = ("variant", "its run, or why there is none", "its page")
    return Part("Commands", [Table(columns, rows, source, words=True)])
