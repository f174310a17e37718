"""What the stage says while it works and when it is done; the command prints the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.evaluate.metrics import metric_name
from sevenfold.evaluate.power import promise
from sevenfold.evaluate.report import Report, overall, summarise

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import HeldOut
    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.record import Entry


def note_rows(chosen: HeldOut, section: EvaluateSection, entry: Entry) -> None:
    """Say which rows are measured and which are not, and what so many can show, before anything is asked."""
    entry.note(f"{len(chosen.questions)} of {chosen.available} rows of the split {chosen.split}")
    for reason, count in chosen.left_out.items():
        entry.warn(f"{count} rows left out: {reason}")
    named = [(metric_name(metric), metric) for metric in section.metrics]
    for sentence in promise(named, len(chosen.questions), 1 - section.confidence):
        entry.note(sentence)


def tell(report: Report, section: EvaluateSection, entry: Entry) -> None:
    """Say what the report says and keep its figures in the record; the command prints the table."""
    for name, answers in report.answers.items():
        if answers.cut:
            entry.note(f"{name}: {answers.cut} of {answers.rows} answers reached {section.max_new_tokens} tokens")
    entry.note(report.summary)
    for group, comparisons in report.groups.items():
        entry.note(f"{report.grouped_by} {group}: {summarise(comparisons, overall(comparisons))}")
    for gap in report.gaps.values():
        entry.note(f"between groups of {report.grouped_by}: {gap.said()}")
    if report.forgetting:
        lost = report.forgetting.comparison
        entry.note(
            f"general text: {report.forgetting.verdict} ({lost.difference:+.3f} nats per token, "
            f"{lost.interval[0]:+.3f} to {lost.interval[1]:+.3f}, {report.forgetting.passages} passages)"
        )
    for found in report.checks.values():
        entry.note(found["said"])
    entry.note(f"training curve: {report.curve.verdict}: {report.curve.reason}; next: {report.curve.advice}")
    entry.metric("better", report.better)
    entry.metric("metrics", {name: comparison.model_dump() for name, comparison in report.metrics.items()})
    groups = {
        group: {name: comparison.model_dump() for name, comparison in comparisons.items()}
        for group, comparisons in report.groups.items()
    }
    if groups:
        entry.metric("grouped_by", report.grouped_by)
        entry.metric("groups", groups)
        entry.metric("gaps", {name: gap.model_dump() for name, gap in report.gaps.items()})
