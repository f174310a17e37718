"""You have this, take that, because of these figures: lines only where the figures are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from methods_parts.quality import TASKS, forgotten
from methods_parts.speed import Rows, label, measured, share, versus
from sevenfold.report.words import size

Figures = dict[str, Any]
Line = tuple[str, str, str]
SMALL = ("prompt", "ia3", "vera", "lokr", "prefix", "lora")
ONE_PASS = "full, one pass"
LEAN = ("lomo, no clipping", "lomo", "galore, steps in backward", "full, steps in backward")


def table(kept: Figures) -> str:
    """The decision table; empty without figures."""
    rows = measured(kept)
    lines = [line(rows) for needed, line in BY_SPEED if set(needed) <= rows.keys()]
    lines = [*by_quality(kept.get("quality", {})), *lines]
    head = ["| you have | take | because |", "|---|---|---|"]
    return "\n".join([*head, *(f"| {' | '.join(line)} |" for line in lines)]) if lines else ""


def by_quality(found: dict[str, Figures]) -> Iterator[Line]:
    """What finished comparisons say."""
    for name, told in ((name, found[name]) for name in TASKS if name in found):
        verdict = told["verdict"]
        if verdict["take"] is None or any(one["state"] == "waiting" for one in told["variants"]):
            continue
        yield f"a task like {TASKS[name]}", f"`{verdict['take']}`", verdict["summary"]
        done = {one["name"]: one for one in told["variants"] if one.get("forgetting")}
        level = [key for key in (verdict["best"], *verdict["level"]) if key in done]
        least = min(level, key=lambda key: done[key]["forgetting"]["comparison"]["difference"], default=None)
        if least is not None and len(level) > 1:
            because = f"of the best ones it forgot least: general text {forgotten(done[least])}"
            yield f"the same, and other abilities are not to suffer ({TASKS[name]})", f"`{least}`", because


def cost(rows: Rows, name: str) -> str:
    """Speed and memory beside full tuning's."""
    return f"{rows[name]['faster']:.2f} times the speed of `full`, {rows[name]['memory']:.2f} of its memory"


def usual(rows: Rows) -> Line:
    """Where nothing speaks for another."""
    moves = f"{share(rows['lora']['share'])} of the parameters move, {size(rows['lora']['disk_bytes'])} on disk"
    return "no reason for anything else", "`lora`", f"{cost(rows, 'lora')}; {moves}"


def quantised(rows: Rows) -> Line:
    """A base that does not fit."""
    time = versus(rows, "qlora", "lora")[0]
    return "a base that does not fit in 16 bits", "`qlora`", f"4.13 bits a weight, {time:.2f} times the time of `lora`"


def activations(rows: Rows) -> Line:
    """Activations that fill the memory."""
    memory = versus(rows, "lora_fa", "lora")[1]
    moving = rows["lora_fa"]["trained"] / rows["lora"]["trained"]
    because = f"{memory:.2f} of the memory of `lora` already in passes of 1,024 tokens, {moving:.2f} of its parameters"
    return "long rows whose activations fill the memory", "`lora_fa`", because


def lengths(rows: Rows) -> Line:
    """A LoRA that learns too little."""
    time = versus(rows, "dora", "lora")[0]
    return "a LoRA that learns less than full tuning", "`dora`", f"the same rank, {time:.2f} times the time of `lora`"


def ranks(rows: Rows) -> Line:
    """A rank that nobody knows."""
    time = versus(rows, "dylora", "lora")[0]
    return "no idea which rank is enough", "`dylora`", f"cut at any rank; a step takes {time:.2f} times that of `lora`"


def many(rows: Rows) -> Line:
    """Many adapters to keep."""
    sizes = {name: rows[name]["disk_bytes"] for name in SMALL if name in rows}
    listed = ", ".join(f"`{name}` {size(count)}" for name, count in sizes.items())
    return "thousands of adapters to keep", f"`{min(sizes, key=lambda name: sizes[name])}`", f"on disk: {listed}"


def ends(rows: Rows) -> Line:
    """Little time."""
    return "little time", "`layers`", f"the last two blocks: {cost(rows, 'layers')}"


def halves(rows: Rows) -> Line:
    """A model that is not to forget."""
    because = f"half of the blocks' weights keep their bits in a round; {cost(rows, 'hft')}"
    return "a tuned model that is not to forget what it was tuned for", "`hft`", because


def lean(rows: Rows) -> Line:
    """Full tuning without the memory for it; all of these take a step in one pass."""
    peaks = {name: versus(rows, name, ONE_PASS)[1] for name in LEAN if name in rows}
    listed = "; ".join(f"{label(name)} {peak:.2f}" for name, peak in peaks.items())
    least = min(peaks, key=lambda name: peaks[name])
    return "all weights to move, and no memory for it", label(least), f"peak in times of `full` in one pass: {listed}"


def blind(rows: Rows) -> Line:
    """Memory for reading alone."""
    peak = rows["mezo"]["peak_bytes"] / rows["reading"]["peak_bytes"]
    because = f"{peak:.2f} times the peak of forward passes alone; it needs many more steps than all others"
    return "memory to read with the model, not to learn", "`mezo`", because


BY_SPEED: list[tuple[tuple[str, ...], Callable[[Rows], Line]]] = [
    (("lora",), usual),
    (("qlora", "lora"), quantised),
    (("lora_fa", "lora"), activations),
    (("dora", "lora"), lengths),
    (("dylora", "lora"), ranks),
    (("prompt", "lora"), many),
    (("layers",), ends),
    (("hft",), halves),
    (("lomo", ONE_PASS), lean),
    (("mezo", "reading"), blind),
]
"""Lines by the methods whose figures they need."""
