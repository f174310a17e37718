"""What people say of the answers, blind and side by side."""

from __future__ import annotations

from typing import Any

from sevenfold.report.blocks import Cell, Figures, Folded, Part, Points, Prose, Table
from sevenfold.report.facts import Facts
from sevenfold.report.words import duration, number

FILE = "human.json"
TONES = {"yes": "good", "no": "bad", "unclear": "unsure"}


def part(facts: Facts) -> Part | None:
    """People's judgements, where there are any."""
    found = facts.json("evaluate", FILE)
    if found is None or not found["preferences"]:
        return None
    source = facts.path("evaluate", FILE)
    blocks: list[Any] = [
        Prose(found["said"], source),
        *[figures(one, source) for one in found["preferences"][:1] if len(found["models"]) == 2],
        preferences(found["preferences"], source),
    ]
    if found["strengths"]:
        blocks.append(strengths(found["strengths"], source))
    blocks.append(annotators(found["annotators"], source))
    blocks.append(standing(found, source))
    if found["metrics"]:
        blocks.append(metrics(found["metrics"], source))
    if found["scales"]:
        blocks.append(scales(found["scales"], source))
    if found["advice"]:
        blocks.append(Points([Cell(line, "unsure") for line in found["advice"]], source))
    if found["notes"]:
        blocks.append(Folded(f"{len(found['notes'])} notes", [notes(found["notes"], source)]))
    return Part("People", [*blocks, Folded("What was judged", [counted(found["counts"], source)])])


def figures(one: dict[str, Any], source: str) -> Figures:
    """The rate of two models in large."""
    items: list[tuple[str, Cell | str]] = [
        (f"prefer {one['second']}", Cell(f"{one['rate']:.0%}", TONES[one["better"]])),
        ("interval", share_range(one["bootstrap"])),
        ("pairs judged", number(one["duels"])),
        ("more pairs to be sure", "more than 100,000" if one["more"] is None else number(one["more"])),
    ]
    return Figures(items, source)


def preferences(found: list[dict[str, Any]], source: str) -> Table:
    """Every two models."""
    columns = ("pair", "pairs", "wins", "losses", "ties", "rate", "bootstrap", "Wilson", "sign test p", "equal answers")
    rows = [
        (
            f"{one['second']} against {one['first']}",
            number(one["duels"]),
            number(one["wins"]),
            number(one["losses"]),
            number(one["ties"]),
            Cell(f"{one['rate']:.1%}", TONES[one["better"]]),
            share_range(one["bootstrap"]),
            share_range(one["wilson"]),
            number(one["sign_test_p"]),
            number(one["equal"]),
        )
        for one in found
    ]
    caption = (
        "A rate counts ties as half; a pair that several judged counts once. Equal answers were not asked: with them "
        + "as ties the rate is "
        + ", ".join(f"{one['rate_of_all']:.1%}" for one in found)
        + ". Ties by vote: "
        + ", ".join(f"{one['both_good']} both good and {one['both_bad']} both bad" for one in found)
        + "."
    )
    return Table(columns, rows, source, caption)


def strengths(found: list[dict[str, Any]], source: str) -> Table:
    """The models in order."""
    rows = [
        (
            one["model"],
            f"{one['strength']:+.2f}",
            f"{one['interval'][0]:+.2f} to {one['interval'][1]:+.2f}",
            f"{one['preferred']:.0%}",
        )
        for one in found
    ]
    caption = "Bradley and Terry's model of all meetings together; the base is 0."
    return Table(("model", "strength", "interval", "preferred to the base"), rows, source, caption)


def annotators(found: list[dict[str, Any]], source: str) -> Table:
    """Who judged."""
    rows = [
        (
            one["name"],
            number(one["votes"]),
            number(one["ties"]),
            share(one["rate"]),
            share_range(one["wilson"]) if one["wilson"] else "",
            share(one["left"]),
            f"{one['seconds']:.1f} s" if one["seconds"] is not None else "",
        )
        for one in found
    ]
    return Table(("annotator", "judged", "ties", "rate", "Wilson", "left side", "median time"), rows, source)


def standing(found: dict[str, Any], source: str) -> Prose:
    """Agreement, the pull of a side, and the time that it took, in words."""
    agreed, pulled = found["agreement"], found["position"]
    lines = []
    if agreed["duels"]:
        alpha = "not defined" if agreed["alpha"] is None else f"{agreed['alpha']:.2f}"
        lines.append(
            f"On the {agreed['duels']} pairs that several judged, {agreed['same']:.0%} of the judgements are the same "
            f"(Krippendorff's alpha {alpha})."
        )
        kappas = [f"{one} and {other} {kappa:.2f}" for one, other, kappa, _ in agreed["kappas"] if kappa is not None]
        if kappas:
            lines.append(f"Cohen's kappa: {', '.join(kappas)}.")
    if pulled["share"] is not None:
        decided = pulled["left"] + pulled["right"]
        lines.append(
            f"The answer on the left won {pulled['share']:.0%} of {decided} decided judgements "
            f"({share_range(pulled['wilson'])}; chance gives a half, p = {pulled['sign_test_p']:.2g})."
        )
    if found["seconds"]:
        median, total = found["seconds"]
        lines.append(f"A judgement took {median:.1f} seconds (median), all of them {duration(total)}.")
    return Prose(" ".join(lines), source)


def metrics(found: list[dict[str, Any]], source: str) -> Table:
    """The automatic metrics beside people."""
    rows = [
        (
            one["metric"],
            number(one["duels"]),
            share(one["same"]),
            share_range(one["wilson"]) if one["duels"] else "",
            number(one["undecided"]),
        )
        for one in found
    ]
    caption = "Of the pairs that people decided: how often the metric prefers the same answer. A coin is right on half."
    return Table(("metric", "pairs", "as people do", "interval", "same value"), rows, source, caption)


def scales(found: list[dict[str, Any]], source: str) -> Table:
    """Marks by model."""
    rows = [
        (
            f"{one['scale']}, {one['model']}",
            number(one["marks"]),
            f"{one['mean']:.2f}",
            f"{one['interval'][0]:.2f} to {one['interval'][1]:.2f}",
        )
        for one in found
    ]
    return Table(("marks of 1 to 5", "marks", "mean", "interval"), rows, source)


def notes(found: list[dict[str, Any]], source: str) -> Table:
    """What people wrote, all of it."""
    rows = [(one["row"], one["annotator"], one["preferred"], one["note"]) for one in found]
    return Table(("row", "annotator", "prefers", "note"), rows, source, words=True)


def counted(counts: dict[str, Any], source: str) -> Table:
    """What was there, and what does not count."""
    words = {
        "rows": "rows that all models answered",
        "duels": "pairs of different answers",
        "judged": "pairs that somebody judged",
        "votes": "judgements",
        "skipped": "pairs that were passed over",
        "of_other_answers": "judgements of answers that are not given any more",
        "broken": "lines that are no judgements",
        "unmatched": "rows that not all runs have",
        "other_base": "rows that another run's base answered otherwise",
    }
    return Table(("what", "how many"), [(text, number(counts[key])) for key, text in words.items()], source)


def share(value: float | None) -> str:
    """A share, or nothing."""
    return "" if value is None else f"{value:.0%}"


def share_range(interval: list[float]) -> str:
    """The ends of an interval of shares."""
    return f"{interval[0]:.0%} to {interval[1]:.0%}"
