"""Who to take, why, and what would change it, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sevenfold.report.words import duration, number, signed, size

CHEAPER = 0.9
"""A cost below this share of the best variant's is called cheaper; timings of one machine wander by some per cent."""
COSTS = {"time": "seconds", "memory": "peak_memory_bytes", "size": "size_bytes"}
"""The recipe's word for a cost to the figure that holds it."""
NOUNS = {"time": "time of training", "memory": "peak memory", "size": "size on disk"}
Figures = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What the comparison says.

    Args:
        word: The headline.
        tone: ``good``, ``bad`` or ``unsure``.
        take: The variant to take; None where none is better than its base, or none is done.
        best: The variant with the best figure.
        level: Variants that the rows do not tell from the best.
        summary: The verdict in a sentence or two.
        reasons: The figures behind it.
        changes: What would change it.
    """

    word: str
    tone: str
    summary: str
    take: str | None = None
    best: str | None = None
    level: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)


def judge(done: Sequence[Figures], against: dict[str, Figures], metric: str, cost: str, waiting: int = 0) -> Verdict:
    """The verdict on variants that are done.

    Args:
        done: Their figures, of :func:`sevenfold.compare.figures.of_run` and with their ``name``.
        against: Each other variant's comparison with the best one, which stands in the place of the base; those that
            cannot be compared are left out.
        metric: The metric that judges.
        cost: ``time``, ``memory`` or ``size``: what counts among variants that are level with the best.
        waiting: Variants that are not done yet.
    """
    if not done:
        return Verdict("Nothing to compare yet", "unsure", "No variant is done.")
    best = best_of(done, metric)
    gain = best["metrics"][metric]
    level = [one["name"] for one in done if is_level(one, against.get(one["name"]), metric, gain["better"])]
    if gain["better"] != "yes":
        word, tone, taken = "None is clearly better than the base", "unsure", None
    else:
        among = [one for one in done if one["name"] == best["name"] or one["name"] in level]
        taken = cheapest(among, best, cost)
        word, tone = f"Take {taken['name']}", "good"
    return Verdict(
        word if not waiting else f"So far: {word[0].lower()}{word[1:]}",
        tone if not waiting else "unsure",
        summary(best, taken, level, metric, cost),
        taken["name"] if taken else None,
        best["name"],
        level,
        [*reasons(done, best, level, against, metric), *other_metrics(done, taken or best, metric), *kept(done)],
        list(changes(done, best, level, against, metric)),
    )


def best_of(done: Sequence[Figures], metric: str) -> Figures:
    """The variant with the best figure."""
    sign = 1 if done[0]["metrics"][metric]["direction"] == "higher" else -1
    return max(done, key=lambda one: sign * one["metrics"][metric]["tuned"])


def is_level(one: Figures, compared: Figures | None, metric: str, best_gain: str) -> bool:
    """Whether the rows do not tell a variant from the best one.

    A variant of which the rows cannot even say that it is better than its base is not level with one of which they
    can: few rows cannot tell anything from anything.
    """
    if compared is None or compared["better"] != "unclear":
        return False
    return best_gain != "yes" or one["metrics"][metric]["better"] == "yes"


def cheapest(among: Sequence[Figures], best: Figures, cost: str) -> Figures:
    """The variant with the lowest cost, where that is clearly below the best one's; else the best one."""
    key = COSTS[cost]
    found = min(among, key=lambda one: one[key])
    return found if found[key] < CHEAPER * best[key] else best


def summary(best: Figures, taken: Figures | None, level: list[str], metric: str, cost: str) -> str:
    """The verdict in a sentence or two."""
    gain = best["metrics"][metric]
    opening = (
        f"{best['name']} has the best {metric}, {number(gain['tuned'])}, where its base has {number(gain['base'])}"
    )
    if taken is None:
        return f"{opening}; on these {gain['rows']} rows that is no clear difference."
    if not level:
        return (
            f"{opening}. Each other variant that it can be compared with is clearly worse on these {gain['rows']} rows."
        )
    told = f"{opening}. These {gain['rows']} rows do not tell it from {listed(level)}."
    if taken["name"] == best["name"]:
        return f"{told} Of these it is the one to take: none needs clearly less {NOUNS[cost]}."
    return f"{told} Of these {taken['name']} needs the least {NOUNS[cost]}: {costs(taken, best)}."


def costs(one: Figures, other: Figures) -> str:
    """What one variant needs beside another, all three costs."""
    parts = [
        f"{duration(one['seconds'])} of training for {duration(other['seconds'])}",
        f"{size(one['peak_memory_bytes'])} of memory for {size(other['peak_memory_bytes'])}",
        f"{size(one['size_bytes'])} on disk for {size(other['size_bytes'])}",
    ]
    return ", ".join(parts)


def reasons(
    done: Sequence[Figures], best: Figures, level: list[str], against: dict[str, Figures], metric: str
) -> Iterator[str]:
    """The best variant against its base, and each other one against the best."""
    gain = best["metrics"][metric]
    yield f"{best['name']}: {metric} {signed(gain['difference'])} against its base ({between(gain)})."
    for one in done:
        compared = against.get(one["name"])
        if one["name"] == best["name"] or compared is None:
            continue
        figures = f"{metric} {signed(compared['difference'])} ({between(compared)})"
        if one["name"] in level:
            yield f"{one['name']} is not told from {best['name']}: {figures}; it needs {costs(one, best)}."
        elif compared["better"] == "unclear":
            yield f"{one['name']} is not told from {best['name']} ({figures}), but not from its base either."
        else:
            yield f"{one['name']} is clearly worse than {best['name']}: {figures}."
    missing = [one["name"] for one in done if one["name"] != best["name"] and one["name"] not in against]
    if missing:
        yield f"{listed(missing)} cannot be compared with {best['name']} row by row: other rows, or other tokens."
    if against:
        confidence = next(iter(against.values()))["confidence"]
        yield (
            f"Intervals between variants are of {confidence:.1%} each, so that all {len(against)} hold together; "
            "they are about the rows, of one training of each variant."
        )


def between(compared: Figures) -> str:
    """An interval in words."""
    low, high = compared["interval"]
    return f"{signed(low)} to {signed(high)}"


def other_metrics(done: Sequence[Figures], taken: Figures, metric: str) -> Iterator[str]:
    """Where another metric sees it otherwise."""
    for name, found in taken["metrics"].items():
        if name == metric:
            continue
        measured = [one for one in done if name in one["metrics"]]
        ahead = best_of(measured, name)
        if found["better"] == "no":
            figures = f"{signed(found['difference'])} ({between(found)})"
            yield f"By {name}, {taken['name']} is worse than its base: {figures}."
        elif ahead["name"] != taken["name"] and ahead["metrics"][name]["better"] == "yes" != found["better"]:
            yield (
                f"By {name}, {ahead['name']} is better than the base and {taken['name']} is not clearly: "
                f"{number(ahead['metrics'][name]['tuned'])} and {number(found['tuned'])}."
            )


def kept(done: Sequence[Figures]) -> Iterator[str]:
    """What general text lost."""
    lost = {one["name"]: one["forgetting"] for one in done if one["forgetting"]}
    bands: dict[str, list[str]] = {}
    for name, found in lost.items():
        bands.setdefault(found["verdict"], []).append(f"{name} ({signed(found['comparison']['difference'])})")
    for band in ("much lost", "some lost", "kept"):
        if band in bands:
            yield f"General text, {band}: {listed(bands[band])} nats per token."


def changes(
    done: Sequence[Figures], best: Figures, level: list[str], against: dict[str, Figures], metric: str
) -> Iterator[str]:
    """What could turn the verdict, the likeliest first."""
    nearest = min(level, key=lambda name: abs(against[name]["difference"]), default=None)
    if nearest is not None:
        yield more_rows(best, nearest, against[nearest], metric)
    elif best["metrics"][metric]["better"] != "yes":
        yield more_rows(best, "its base", best["metrics"][metric], metric)
    slow = [one["name"] for one in done if one["curve"]["verdict"] == "underfit"]
    if slow:
        yield f"More steps: {listed(slow)} {'was' if len(slow) == 1 else 'were'} still learning at the end."
    over = [one["name"] for one in done if one["curve"]["verdict"] == "overfit"]
    if over:
        yield f"Fewer steps or more training rows: {listed(over)} overfitted."
    for one in done:
        for key, edge in one.get("edges", {}).items():
            beyond = "lower" if edge == "lowest" else "higher"
            yield f"A {beyond} {key} for {one['name']}: the search chose the {edge} that it tried."
    yield "Another seed: each variant was trained once, and the intervals do not hold what chance does in training."


def more_rows(best: Figures, other: str, compared: Figures, metric: str) -> str:
    """How many rows would tell two apart, if the difference is what these rows say.

    The smallest visible difference falls with the square root of the rows.
    """
    rows, gap = compared["rows"], abs(compared["difference"])
    needed = math.ceil(rows * (compared["detectable"] / gap) ** 2) if gap else None
    opening = f"More held-out rows: {rows} show a difference in {metric} from {number(compared['detectable'])} on"
    if needed is None:
        return f"{opening}, and {best['name']} and {other} do not differ on them at all."
    told = (
        f"{opening}; {best['name']} and {other} are {number(gap)} apart, which about {number(needed)} rows would show"
    )
    there = best["available"]
    if rows < there:
        return f"{told} (evaluate.rows; the split has {number(there)})."
    return f"{told} (prepare.split)."


def listed(names: Sequence[str]) -> str:
    """Names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
