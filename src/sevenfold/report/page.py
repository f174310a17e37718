"""The page: verdict, parts, template, one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sevenfold.record import Record, write_text
from sevenfold.report.facts import Facts

if TYPE_CHECKING:
    from sevenfold.recipe import Recipe
    from sevenfold.report.blocks import Part
    from sevenfold.report.parts.verdict import Top

HERE = Path(__file__).parent
REPORT_FILE = "report.html"


def write(record: Record, recipe: Recipe) -> Path:
    """Write the run's report as one self-contained page: no script, no outside resource.

    It shows what is there: a part whose stage has not run is left out.

    Args:
        record: The run.
        recipe: The recipe as it was resolved, for values and their origins.

    Returns:
        The path of ``report.html`` in the run's folder.

    Raises:
        MachineError: The folder cannot be written.
    """
    path = record.folder / REPORT_FILE
    write_text(path, render(Facts(record, recipe)))
    return path


def render(facts: Facts) -> str:
    """The page's HTML."""
    from sevenfold.report.parts import (
        checks,
        cost,
        data,
        deployment,
        evaluation,
        human,
        monitoring,
        proofs,
        training,
        verdict,
    )
    from sevenfold.report.parts import record as record_part

    order = (evaluation, human, checks, training, data, cost, proofs, deployment, monitoring, record_part)
    parts = [found for module in order if (found := module.part(facts)) is not None]
    started = min((stage.started for stage in facts.stages), default="")
    return html("run", facts.record.name, started, verdict.top(facts), parts)


def html(kind: str, name: str, started: str, top: Top, parts: Sequence[Part]) -> str:
    """A page of our style.

    Args:
        kind: What it is about, ``run`` or another word.
        name: Whose page it is.
        started: When, or nothing.
        top: The verdict and the answers.
        parts: The sections below.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.jinja").render(
        kind=kind,
        name=name,
        started=started,
        top=top,
        parts=parts,
        # Our own style sheet is the only text that is not escaped besides the plots.
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
    )
