"""The top of the page: did it get better, what did it cost, what should be done next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sevenfold.report.facts import RECORD_FILE, Facts
from sevenfold.report.parts import cost
from sevenfold.report.words import number

WORDS = {
    "yes": ("It got better", "good"),
    "no": ("It got worse", "bad"),
    "mixed": ("Better and worse", "unsure"),
    "unclear": ("No clear difference", "unsure"),
}


@dataclass(frozen=True)
class Answer:
    """The answer to one of the three questions, with the file it is from."""

    question: str
    lines: list[str]
    source: str


@dataclass(frozen=True)
class Top:
    """The verdict and the three answers."""

    word: str
    tone: str
    summary: str
    answers: list[Answer]


def top(facts: Facts) -> Top:
    """What stands at the top of the page, as far as the run has come."""
    word, tone, summary = verdict(facts)
    answers = [
        Answer("Did it get better?", better(facts), facts.path("evaluate", "result.json")),
        Answer("What did it cost?", cost.shortly(facts), RECORD_FILE),
        Answer("What should I do next?", next_steps(facts), RECORD_FILE),
    ]
    return Top(word, tone, summary, answers if facts.evaluation else answers[1:])


def verdict(facts: Facts) -> tuple[str, str, str]:
    """The word, its tone and a sentence."""
    failed = [stage for stage in facts.stages if stage.state == "failed"]
    if failed:
        return f"Stopped in {failed[0].name}", "bad", failed[0].error or ""
    if facts.evaluation is None:
        return "Not evaluated yet", "unsure", f"Done so far: {', '.join(stage.name for stage in facts.stages)}."
    word, tone = WORDS[facts.evaluation["better"]]
    summary = facts.evaluation["summary"]
    if "evaluate" in facts.stale:
        summary += " This speaks of an earlier state of the run: run evaluate again."
    return word, tone, summary


def better(facts: Facts) -> list[str]:
    """Each metric's clear difference as a line."""
    metrics = facts.evaluation["metrics"] if facts.evaluation else {}
    lines = []
    for name, metric in metrics.items():
        mark = {"yes": "✓", "no": "✗", "unclear": "?"}[metric["better"]]
        lines.append(f"{mark} {name}: {number(metric['base'])} → {number(metric['tuned'])}")
    return lines


def next_steps(facts: Facts) -> list[str]:
    """What the figures ask for, the most urgent first."""
    steps = [f"Mend what stopped {stage.name}, then rerun." for stage in facts.stages if stage.state == "failed"]
    steps += [f"Look at the proof {proof['name']}: it failed." for _, proof in facts.proofs if not proof["passed"]]
    if facts.stale:
        steps.append(f"Rerun: {', '.join(facts.stale)} came from older inputs.")
    if facts.evaluation:
        steps += from_evaluation(facts.evaluation)
    firing = (facts.json("monitor") or {}).get("firing", [])
    steps += [f"An alert fires: {rule}." for rule in firing]
    if facts.tuned and not facts.stage("deploy"):
        steps.append(f"Export and serve it: sevenfold deploy recipe.yaml, then sevenfold serve {facts.record.folder}.")
    elif facts.stage("deploy"):
        steps.append(f"Serve it: sevenfold serve {facts.record.folder}.")
    elif not facts.tuned:
        steps.append("Go on with the stages that are missing: sevenfold run RECIPE.")
    return steps


def from_evaluation(report: dict[str, Any]) -> list[str]:
    """What the evaluation asks for."""
    steps = []
    curve = report["curve"]
    if curve["verdict"] not in ("healthy", "not trained"):
        steps.append(f"The training curve is {curve['verdict']}: {curve['advice']}.")
    found = report["forgetting"]
    if found and found["verdict"] != "kept":
        steps.append("Lower tune.learning_rate or mix general rows into the training data: general text was lost.")
    for group, metrics in report.get("groups", {}).items():
        if worse := [name for name, metric in metrics.items() if metric["better"] == "no"]:
            steps.append(f"Look at the rows of {report['grouped_by']} {group}: {', '.join(worse)} got worse there.")
    for found in report.get("checks", {}).values():
        worse = [name for name, one in found["comparisons"].items() if one["better"] == "no"]
        steps += [f"Look at the check {found['title']}: {', '.join(worse)} got worse."] if worse else []
    unclear = [metric for metric in report["metrics"].values() if metric["better"] == "unclear"]
    if unclear and report["rows"] < report["available"]:
        needed = min((metric["rows_needed"] for metric in unclear if metric.get("rows_needed")), default=None)
        enough = f"; about {needed} would show the first of them" if needed else ""
        asked = f"{report['rows']} of {report['available']} rows"
        steps.append(f"Raise evaluate.rows: {asked} leave some differences unclear{enough}.")
    elif unclear:
        steps.append("Hold out more rows (prepare.split): some differences are too small to be seen with these.")
    sides = report["answers"]
    if sides and sides["tuned"]["cut"] > sides["tuned"]["rows"] / 10:
        steps.append(f"Raise evaluate.max_new_tokens: {sides['tuned']['cut']} tuned answers reached the limit.")
    if curve["verdict"] == "healthy" and report["better"] == "yes":
        steps.append(f"To go further: {curve['advice']}.")
    return steps
