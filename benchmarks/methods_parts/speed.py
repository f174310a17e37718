"""Every method's speed and memory beside full tuning's, from the records of its runs."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from sevenfold.report.words import size

Figures = dict[str, Any]
Rows = Mapping[str, Figures]


def rows(speed: Figures) -> dict[str, Figures]:
    """Each method's medians over the rounds, and its medians of ratios to the ``full`` that ran beside it.

    Ratios: ``faster`` in times of the speed, ``memory`` of the peak. ``full`` stands for itself. What failed has a
    ``failure`` instead.

    Args:
        speed: ``references``, the runs of ``full``, and ``records``: what was ``found`` of a method, and the number of
            the reference that ran ``beside`` it.
    """
    references = speed["references"]
    by_name: dict[str, list[tuple[Figures, Figures]]] = {"full": [(one, one) for one in references]}
    for record in speed["records"]:
        pair = record["found"], references[record["beside"]]
        by_name.setdefault(record["found"]["name"], []).append(pair)
    return {name: summary(pairs) for name, pairs in by_name.items()}


def measured(kept: Figures) -> dict[str, Figures]:
    """The rows of methods that have figures."""
    found = rows(kept["speed"]) if "speed" in kept else {}
    return {name: one for name, one in found.items() if "failure" not in one}


def summary(pairs: list[tuple[Figures, Figures]]) -> Figures:
    """One method beside the runs of ``full``."""
    good = [(one, full) for one, full in pairs if "failure" not in one]
    if not good:
        return pairs[-1][0]
    return {
        **good[-1][0],
        "faster": median(full["seconds"] / one["seconds"] for one, full in good),
        "memory": median(one["peak_bytes"] / full["peak_bytes"] for one, full in good),
        "tokens_per_second": median(counted_tokens(one) / one["seconds"] for one, _ in good),
        "peak_bytes": median(one["peak_bytes"] for one, _ in good),
    }


def counted_tokens(one: Figures) -> int:
    """Tokens of the rows in the steps that count; virtual ones are not among them."""
    return sum(one["tokens"][-one["steps"] :])


def versus(found: Rows, name: str, other: str) -> tuple[float, float]:
    """Time and memory of a method in times of another's, by way of the ``full`` beside each."""
    one, two = found[name], found[other]
    return two["faster"] / one["faster"], one["memory"] / two["memory"]


def table(speed: Figures, found: Rows) -> str:
    """Every method: speed, memory and what it holds; and how it was measured."""
    lines = [
        "| method | speed, times `full` | tokens/s | peak memory | of `full` | trained | share | on disk | optimiser |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in found.items():
        if "failure" in one:
            lines.append(f"| {label(name)} | failed: {one['failure'].replace('|', '/')} | | | | | | | |")
            continue
        lines.append(
            f"| {label(name)} | {one['faster']:.2f} | {one['tokens_per_second']:,.0f} | {size(one['peak_bytes'])} "
            f"| {one['memory']:.2f} | {one['trained']:,} | {share(one['share'])} | {size(one['disk_bytes'])} "
            f"| {size(one['optimizer_bytes'])} |"
        )
    return "\n".join([*lines, "", notes(speed)])


def notes(speed: Figures) -> str:
    """How the figures were taken."""
    asked, found = speed["asked"], speed["references"]
    counted, times = asked["steps"] - asked["warm"], sorted(one["seconds"] for one in found)
    return (
        f"`python benchmarks/methods.py speed`: {counted} of {asked['steps']} steps counted, "
        f"{counted_tokens(found[0]) / counted:,.0f} tokens a step, {found[0]['precision']}; `full` ran "
        f"{len(found)} times, its slowest run took {times[-1] / times[0]:.2f} times its fastest; {speed['machine']}"
    )


def short_table(speed: Figures, found: Rows) -> str:
    """The same for the page: ratios and counts."""
    lines = [
        "| method | speed | peak memory | parameters that move | on disk | optimiser's state |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {label(name)} | {one['faster']:.2f} | {one['memory']:.2f} | {one['trained']:,} ({share(one['share'])}) "
        f"| {size(one['disk_bytes'])} | {size(one['optimizer_bytes'])} |"
        for name, one in found.items()
        if "failure" not in one and name != "reading"
    ]
    return "\n".join([*lines, "", notes(speed)])


def label(name: str) -> str:
    """A contestant as a reader sees it."""
    method, comma, form = name.partition(", ")
    return "*reading alone, float32*" if name == "reading" else f"`{method}`{comma}{form}"


def share(value: float) -> str:
    """A share of parameters in per cent."""
    return f"{100 * value:.2g} %" if value < 0.1 else f"{100 * value:.0f} %"
