"""What was exported, and what the served model answered when it was tried."""

from __future__ import annotations

from typing import Any

from sevenfold.report.blocks import Figures, Part, Prose, Sample, Table
from sevenfold.report.facts import Facts
from sevenfold.report.words import duration, number, size

SHOWN = 3
"""Answers of the smoke test on the page; the file has them all."""


def part(facts: Facts) -> Part | None:
    """The exports and the service."""
    service = facts.json("deploy")
    if service is None:
        return None
    source = facts.path("deploy", "result.json")
    figures = Figures(
        [
            ("model", service["model"]),
            ("engine", next(iter(service["engine"]))),
            ("serves the export", service["serves"]),
            ("context", f"{number(service['context'])} tokens"),
            *([("adapters to choose", ", ".join(service["tasks"]))] if service.get("tasks") else []),
        ],
        source,
    )
    blocks: list[Any] = [figures, exports(service, source), Prose(f"Start it: {service['start']}", source)]
    smoke = service["smoke"]
    return Part("Deployment", [*blocks, *(asked(question, source) for question in smoke[:SHOWN])])


def exports(service: dict[str, Any], source: str) -> Table:
    """Each export's place and size, and what was left out."""
    rows = [
        (
            name,
            found["path"],
            size(found["bytes"]),
            duration(found["seconds"]),
            found["sha256"][:12],
            "\n".join(found["notes"]),
        )
        for name, found in service["records"].items()
    ]
    rows += [(name, "not made", "", "", "", reason) for name, reason in service["skipped"].items()]
    return Table(("export", "folder", "size", "time", "SHA-256", "notes"), rows, source, words=True)


def asked(question: dict[str, Any], source: str) -> Sample:
    """One question and the service's answer."""
    prompt = "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in question["messages"])
    spent = f"{question['completion_tokens']} tokens in {duration(question['seconds'])}"
    texts = [("prompt", prompt), ("reference", question["reference"]), ("tuned", question["answer"])]
    return Sample(f"Asked of the service: {question['origin']} ({spent})", texts, source)
