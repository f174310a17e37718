"""Base against tuned: the figures, how sure they are, what was forgotten, and answers side by side."""

from __future__ import annotations

import math
from typing import Any

from sevenfold.report import plots
from sevenfold.report.blocks import Cell, Figures, Folded, Part, Plot, Prose, Sample, Table
from sevenfold.report.facts import Facts
from sevenfold.report.parts import beside
from sevenfold.report.words import number, signed

TONES = {"yes": "good", "no": "bad", "unclear": "unsure", "mixed": "unsure"}
FORGETTING_TONES = {"kept": "good", "some lost": "unsure", "much lost": "bad"}
PLACES = {0.0: "where tuning helped most", 0.5: "in the middle", 1.0: "where tuning helped least"}
MORE_PLACES = {0.25: "upper quarter", 0.75: "lower quarter"}
"""Share of the ranking to its name: shown at once, and on a click."""

COLUMNS = (
    "metric",
    "base",
    "tuned",
    "difference",
    "interval",
    "better",
    "rows better / equal / worse",
    "effect",
    "smallest visible",
)


def part(facts: Facts) -> Part | None:
    """The comparison."""
    report = facts.evaluation
    if report is None:
        return None
    source = facts.path("evaluate", "result.json")
    metrics = report["metrics"]
    blocks: list[Any] = [
        comparison(report, source),
        Plot(
            plots.differences(metrics),
            f"Tuned less base with {first(metrics)['confidence']:.0%} intervals, each metric on its own scale; "
            "right of the line is better.",
            source,
            wide=True,
        ),
        *grouped(report, source),
        *beside.gaps(report, source),
        *beside.others(report, source),
        *labels(report.get("labels", {}), source),
        *scatters(facts),
    ]
    if report["answers"]:
        blocks.append(answers(report["answers"], source))
    if report["forgetting"]:
        blocks.extend(forgetting(report["forgetting"], source))
    blocks.extend(samples(facts))
    return Part("Base against tuned", blocks)


def first(metrics: dict[str, Any]) -> dict[str, Any]:
    """Any metric, for what all share."""
    return next(iter(metrics.values()))


def comparison(report: dict[str, Any], source: str) -> Table:
    """Every metric's line."""
    rows = [metric_line(name, metric) for name, metric in report["metrics"].items()]
    left_out = "".join(f"; {count} left out: {reason}" for reason, count in report["left_out"].items())
    return Table(
        COLUMNS,
        rows,
        source,
        caption=f"{report['rows']} of {report['available']} rows of the split {report['split']}{left_out}. Paired "
        "bootstrap (BCa) over rows; better is yes or no where the interval excludes zero. Effect is the mean of the "
        "rows' gains over their standard deviation; the smallest visible difference is the one that these rows would "
        "show four times out of five.",
    )


def metric_line(name: str, metric: dict[str, Any]) -> list[Cell | str]:
    """A metric as cells."""
    low, high = metric["interval"]
    shares = " / ".join(f"{metric[key]:.0%}" for key in ("rows_better", "rows_equal", "rows_worse"))
    return [
        f"{name} {'↑' if metric['direction'] == 'higher' else '↓'} ({metric['unit']})",
        number(metric["base"]),
        number(metric["tuned"]),
        signed(metric["difference"]),
        f"{signed(low)} to {signed(high)}",
        Cell(metric["better"], TONES[metric["better"]]),
        shares,
        signed(metric["effect_size"]),
        number(metric["detectable"]),
    ]


def grouped(report: dict[str, Any], source: str) -> list[Table | Plot]:
    """Every metric over the rows of each group alone, and the figure that tells most as a picture."""
    groups: dict[str, dict[str, Any]] = report.get("groups", {})
    if not groups:
        return []
    rows = [
        [group, str(metric["rows"]), *metric_line(name, metric)]
        for group, metrics in groups.items()
        for name, metric in metrics.items()
    ]
    columns = (report["grouped_by"], "rows", *COLUMNS)
    name = ranking_metric(report["metrics"]) or ""
    drawn = plots.differences({group: metrics[name] for group, metrics in groups.items()}, name="groups")
    return [
        Table(columns, rows, source, caption=f"The same over the rows of each {report['grouped_by']} alone."),
        Plot(drawn, f"{name}, tuned less base, by {report['grouped_by']}; right of the line is better.", source, True),
    ]


def scatters(facts: Facts) -> list[Plot]:
    """Rows as points for at most two metrics whose values are not just right or wrong."""
    found: list[Plot] = []
    for name, metric in facts.evaluation["metrics"].items() if facts.evaluation else ():
        base, tuned = ([row[side]["values"][name] for row in facts.rows] for side in ("base", "tuned"))
        # A perplexity's rows are its loss's rows.
        graded = (
            len({*base, *tuned} - {0.0, 1.0}) > 0 and all(map(math.isfinite, base + tuned)) and name != "perplexity"
        )
        if graded and len(found) < 2:
            svg = plots.scatter(name, base, tuned, metric["direction"] == "lower")
            caption = f"Each held-out row once; {len(base)} rows."
            found.append(Plot(svg, caption, facts.path("evaluate", "rows.jsonl")))
    return found


def labels(sides: dict[str, Any], source: str) -> list[Plot | Prose]:
    """Which labels were said for which, and how far the probabilities can be believed."""
    found: list[Plot | Prose] = [
        Plot(
            plots.confusion(name, side["labels"], side["counts"]),
            f"Labels of the {name} model, rows by true label.",
            source,
        )
        for name, side in sides.items()
    ]
    tuned = sides.get("tuned", {})
    if tuned:
        text = f"Who always says the commonest label is right on {tuned['commonest']:.1%} of the rows."
        if tuned["calibration_error"] is not None:
            text += (
                f" The tuned model's probabilities are {tuned['calibration_error']:.1%} away from the share that is "
                "right (expected calibration error, ten bins)"
            )
            text += (
                "."
                if tuned["auc"] is None
                else f"; the area under its ROC curve is {tuned['auc']:.3f} (mean over labels)."
            )
        found.append(Prose(text, source))
    return found


def answers(sides: dict[str, Any], source: str) -> Table:
    """What the answers look like as a whole."""
    rows = [
        (name, number(side["rows"]), number(side["mean_tokens"]), number(side["cut"]), number(side["empty"]))
        for name, side in sides.items()
    ]
    return Table(("generated answers", "rows", "mean tokens", "reached the limit", "empty"), rows, source)


def forgetting(found: dict[str, Any], source: str) -> list[Figures | Prose]:
    """What general text lost."""
    compared = found["comparison"]
    low, high = compared["interval"]
    tone = FORGETTING_TONES[found["verdict"]]
    limits = ", ".join(f"{name} from {limit:g}" for name, limit in found["thresholds"].items())
    doubt = (
        "" if found["sure"] else " The interval reaches into another verdict, so take it as likely and not as certain."
    )
    return [
        Figures(
            [
                ("general text", Cell(found["verdict"], tone)),
                ("loss of the base", f"{number(compared['base'])} nats"),
                ("loss of the tuned model", f"{number(compared['tuned'])} nats"),
                ("difference", f"{signed(compared['difference'])} ({signed(low)} to {signed(high)})"),
            ],
            source,
        ),
        Prose(
            f"Forgetting: loss per token on {found['passages']} passages of general text that have nothing to do with "
            f"the task ({limits} nats).{doubt}",
            source,
        ),
    ]


def samples(facts: Facts) -> list[Prose | Sample | Folded]:
    """Answers at fixed places of the ranking by gain, so that nobody picks the nice ones."""
    rows = [row for row in facts.rows if "text" in row["base"]]
    name = ranking_metric(facts.evaluation["metrics"] if facts.evaluation else {})
    if not rows or name is None:
        return []
    source = facts.path("evaluate", "rows.jsonl")
    sign = 1 if facts.evaluation and facts.evaluation["metrics"][name]["direction"] == "higher" else -1
    ranked = sorted(rows, key=lambda row: sign * (row["base"]["values"][name] - row["tuned"]["values"][name]))
    last = len(ranked) - 1
    shown = [sample(ranked[round(share * last)], label, name, source) for share, label in PLACES.items()]
    more = [sample(ranked[round(share * last)], label, name, source) for share, label in MORE_PLACES.items()]
    opening = Prose(f"Answers at fixed places of the {len(rows)} rows ranked by their gain in {name}.", source)
    return [opening, *shown, Folded(f"{len(more)} more rows", more)]


def ranking_metric(metrics: dict[str, Any]) -> str | None:
    """The metric that ranks the samples: the first that is scored on answers and finer than right or wrong."""
    likelihoods = ("loss", "perplexity")
    graded = [name for name in metrics if name not in (*likelihoods, "exact_match")]
    return next(iter([*graded, *metrics]), None)


def sample(row: dict[str, Any], label: str, name: str, source: str) -> Sample:
    """A row with both answers."""
    values = " → ".join(number(row[side]["values"][name]) for side in ("base", "tuned"))
    prompt = "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in row["prompt"])
    texts = [
        ("prompt", prompt),
        ("reference", row["reference"]),
        ("base", row["base"]["text"]),
        ("tuned", row["tuned"]["text"]),
    ]
    return Sample(f"{row['origin']}, {label} ({name} {values})", texts, source)
