"""The page of a cross-validation: the verdict, the metrics over all rows and over folds, each fold, a plot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from sevenfold.record import write_json, write_text
from sevenfold.report.blocks import Cell, Part, Plot, Prose, Table
from sevenfold.report.page import html
from sevenfold.report.parts.evaluation import TONES
from sevenfold.report.parts.verdict import WORDS, Answer, Top
from sevenfold.report.plots import COLOURS, WIDE, canvas, grid, inline, styled
from sevenfold.report.words import number, signed

PAGE_FILE, JSON_FILE = "folds.html", "folds.json"
MANY = 30
"""Folds that have a line each; of more the table would be longer than it is read."""
Told = dict[str, Any]


def write(told: Told, folder: Path) -> Path:
    """Write ``folds.json`` and the page beside it; gives the page's path.

    Raises:
        MachineError: The folder cannot be written.
    """
    write_json(folder / JSON_FILE, told)
    made = [metrics(told), groups(told), folds(told)]
    parts = [part for part in made if part is not None]
    kind = "cross-validation" if told["way"]["kind"] == "folds" else "leave-one-out"
    write_text(folder / PAGE_FILE, html(kind, told["name"], "", top(told), parts))
    return folder / PAGE_FILE


def top(told: Told) -> Top:
    """The verdict, and what stands behind it."""
    word, tone = WORDS[told["better"]]
    sure = [sentence(name, one, len(told["folds"])) for name, one in told["metrics"].items()]
    answers = [Answer("How sure is it?", sure, JSON_FILE)]
    problems = [f"{name}: {failure['problem']}" for name, failure in told["failures"].items()]
    problems += [f"{rows} rows left out: {reason}" for reason, rows in told["left_out"].items()]
    if told["rows"] < told["available"] - sum(told["left_out"].values()):
        problems.append(f"{told['rows']} of {told['available']} rows were asked, as --rows says")
    if told["twice"]:
        problems.append(f"{told['twice']} rows were scored more than once")
    if problems:
        answers.append(Answer("What is missing?", problems, JSON_FILE))
    return Top(word, tone, told["summary"], answers)


def sentence(name: str, one: Told, count: int) -> str:
    """How far the folds agree about a metric."""
    low, high = one["pooled"]["interval"]
    text = f"{name}: {signed(one['pooled']['difference'])} ({signed(low)} to {signed(high)}) over all rows"
    if one["over_folds"] is not None:
        low, high = one["over_folds"]
        text += f"; {signed(low)} to {signed(high)} if other rows had been learnt from"
    return f"{text}; ahead in {one['ahead']} of {count} folds, behind in {one['behind']}"


def metrics(told: Told) -> Part:
    """Every metric over all rows, and over the folds."""
    rows: list[list[Cell | str]] = []
    for name, one in told["metrics"].items():
        found = one["pooled"]
        low, high = found["interval"]
        gain = f"{signed(found['difference'])} ({signed(low)} to {signed(high)})"
        spreads = [f"{number(one[side]['mean'])} ± {number(one[side]['deviation'])}" for side in ("base", "tuned")]
        other = "–" if one["over_folds"] is None else " to ".join(map(signed, one["over_folds"]))
        arrow = "↑" if found["direction"] == "higher" else "↓"
        rows.append(
            [
                f"{name} {arrow}",
                number(found["base"]),
                number(found["tuned"]),
                Cell(gain, TONES[found["better"]]),
                *spreads,
                other,
                f"{one['ahead']} of {len(told['folds'])}",
            ]
        )
    columns = ("metric", "base", "tuned", "difference", "base over folds", "tuned over folds", "over folds", "ahead in")
    confidence = next(iter(told["metrics"].values()))["pooled"]["confidence"]
    caption = (
        f"Base, tuned and difference: all {told['rows']} rows at once, each scored by the model that never saw it, "
        f"with the {confidence:.0%} interval of a paired bootstrap over rows. Over folds: mean and standard deviation "
        "of the folds' figures, and the interval of their mean difference that also counts which rows were learnt from."
    )
    blocks: list[Any] = [Table(columns, rows, JSON_FILE, caption=caption)]
    if len(told["folds"]) <= MANY:
        blocks.append(Plot(drawn(told), "A line for each fold: base on the left, tuned on the right.", JSON_FILE, True))
    if told["forgetting"]:
        lost = told["forgetting"]
        blocks.append(
            Prose(
                f"General text lost {signed(lost['mean'])} nats per token on the average of folds "
                f"({signed(lost['lowest'])} to {signed(lost['highest'])}).",
                JSON_FILE,
            )
        )
    return Part("Metrics", blocks)


def groups(told: Told) -> Part | None:
    """The gaps between groups, where rows have groups."""
    if not told["gaps"]:
        return None
    rows: list[list[Cell | str]] = []
    for name, gap in told["gaps"].items():
        for side in ("base", "tuned"):
            one = gap[side]
            low, high = one["interval"]
            worst, best = (f"{one[key]}: {number(one['figures'][one[key]])}" for key in ("worst", "best"))
            size = f"{number(one['gap'])} ({number(low)} to {number(high)})"
            rows.append([f"{name}, {side}", worst, best, size, f"{one['chance']:.3g}"])
    small = next(iter(told["gaps"].values()))["small"]
    few = f" Too few rows to judge: {', '.join(f'{name} ({count})' for name, count in small.items())}." if small else ""
    caption = f"Chance: how often a gap as large comes about when rows are shuffled between the groups.{few}"
    return Part("Groups", [Table(("metric", "worst", "best", "gap", "chance"), rows, JSON_FILE, caption=caption)])


def folds(told: Told) -> Part:
    """Each fold: its rows, its figures, its curve, its own page."""
    names = list(told["metrics"])
    rows: list[list[Cell | str]] = []
    for fold in told["folds"][:MANY]:
        cells = [
            f"{number(fold['metrics'][name]['base'])} → {number(fold['metrics'][name]['tuned'])}" for name in names
        ]
        curve = fold["curve"]["verdict"]
        rows.append([fold["name"], number(fold["train"]), number(fold["rows"]), *cells, curve])
    rows += [[name, "", "", *[""] * len(names), Cell("failed", "bad")] for name in told["failures"]]
    more = len(told["folds"]) - MANY
    caption = f"{more} more are in {JSON_FILE}." if more > 0 else f"Each has its own page: {rows[0][0]}/report.html."
    return Part(
        "Folds", [Table(("fold", "learnt from", "tested on", *names, "curve"), rows, JSON_FILE, caption=caption)]
    )


@styled
def drawn(told: Told) -> Markup:
    """Every fold's base and tuned figure, a field for each metric, with the mean of all."""
    found: Mapping[str, Told] = told["metrics"]
    columns = min(3, len(found))
    height = math.ceil(len(found) / columns)
    figure, axes = canvas(WIDE, 2.9 * height, rows=height, columns=columns, squeeze=False)
    for place, field in enumerate(axes.flat):
        if place >= len(found):
            field.set_visible(False)
            continue
        name = list(found)[place]
        for fold in told["folds"]:
            one = fold["metrics"][name]
            gained = one["better"]
            colour = COLOURS[{"yes": "good", "no": "bad", "unclear": "muted"}[gained]]
            field.plot([0, 1], [one["base"], one["tuned"]], "-o", color=colour, linewidth=1.2, markersize=4)
        whole = found[name]["pooled"]
        field.plot([0, 1], [whole["base"], whole["tuned"]], "-", color=COLOURS["ink"], linewidth=2.4)
        field.set_xticks([0, 1], ["base", "tuned"])
        field.set_xlim(-0.25, 1.25)
        field.set_title(f"{name} ({'higher' if whole['direction'] == 'higher' else 'lower'} is better)")
        grid(field)
    return inline(figure, "folds", "Every fold's figures of base and tuned model; the thick line is of all rows")
