"""The stage ``evaluate``: base and tuned model on the same held-out rows, and what the difference is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.evaluate import known
from sevenfold.evaluate.asked import Asked, asked
from sevenfold.evaluate.checking import Examination
from sevenfold.evaluate.curve import read_curve
from sevenfold.evaluate.engines import openers
from sevenfold.evaluate.forgetting import Forgetting, forgetting
from sevenfold.evaluate.gaps import gaps
from sevenfold.evaluate.groups import TASK, by_group
from sevenfold.evaluate.held_out import Question
from sevenfold.evaluate.jsonl import write_lines
from sevenfold.evaluate.labels import spread_of
from sevenfold.evaluate.many import corrected
from sevenfold.evaluate.measure import Measured, measure
from sevenfold.evaluate.metrics import metric_name
from sevenfold.evaluate.others import compare_others
from sevenfold.evaluate.paired import Comparison, Pairs, compare
from sevenfold.evaluate.report import ROWS_FILE, Report, overall, summarise
from sevenfold.evaluate.rows import pairs_of, row_objects
from sevenfold.evaluate.telling import tell
from sevenfold.evaluate.trained import Trained

if TYPE_CHECKING:
    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.tuned import Tuned


def evaluate(
    section: EvaluateSection, dataset: Dataset, model: Model, environment: Environment, tuned: Tuned, entry: Entry
) -> Report:
    """Measure base and tuned model on the same held-out rows and compare them pair by pair.

    The models are in memory one after the other, never both. Results are kept as they come, so a killed run goes on
    where it was.

    Args:
        section: What is measured, on how many rows.
        dataset: Holds the held-out rows.
        model: The base model.
        environment: Device, precision and seed.
        tuned: The tuned model and its training curve.
        entry: The stage's folder, notes and progress.

    Returns:
        The report, saved with ``rows.jsonl`` in the stage's folder.

    Raises:
        DataError: There are no held-out rows, or no general text where it was asked for.
        ModelError: A model cannot be built or asked.
    """
    environment.start()
    what = asked(section, dataset, model, environment, tuned, entry)
    examination = Examination(section, dataset, what.questions, {"tuned": what.lead}, environment.seed, entry)
    same = known.content_key(what.work, section, dataset, model, environment, tuned)
    known.lend(same, entry)
    works = what.works()
    measured = {
        name: measure(name, open_engine, works[name], section, entry, examination.of)
        for name, open_engine in openers(section, model, environment, tuned).items()
    }
    known.keep(same, entry)
    pairs = paired(section, what.questions, measured)
    write_lines(entry.folder / ROWS_FILE, row_objects(what.questions, measured["base"], measured["tuned"], pairs))
    report = judged(section, environment, tuned, what, measured, pairs)
    report.others = compare_others(section, dataset, environment, what.questions, measured, entry)
    report.checks = examination.report(measured["base"].checks, measured["tuned"].checks)
    tell(report, section, entry)
    return report.save(entry.folder)


def judged(
    section: EvaluateSection,
    environment: Environment,
    tuned: Tuned,
    what: Asked,
    measured: dict[str, Measured],
    pairs: dict[str, Pairs],
) -> Report:
    """What the two models' values say of the rows, of their groups, of general text and of the training."""
    comparisons = compared(pairs, section, environment)
    word, drawing = overall(comparisons), (environment.seed, section.resamples, section.confidence)
    lost = forgotten(measured, section, environment) if what.work.passages else None
    return Report(
        better=word,
        summary=summarise(comparisons, word, lost),
        split=what.chosen.split,
        rows=len(what.questions),
        available=what.chosen.available,
        left_out=what.chosen.left_out,
        metrics=comparisons,
        grouped_by=section.by or (TASK if tuned.tasks() else ""),
        groups=by_group(what.questions, pairs, *drawing),
        gaps=gaps([question.group for question in what.questions], pairs, *drawing),
        answers={name: one.summary() for name, one in measured.items()} if what.work.answered else {},
        labels=spread_of(section, what.questions, measured),
        forgetting=lost,
        curve=read_curve(tuned.losses, tuned.validation_losses, Trained.of(tuned)),
    )


def paired(section: EvaluateSection, questions: list[Question], measured: dict[str, Measured]) -> dict[str, Pairs]:
    """Every metric's values by its name."""
    return {
        metric_name(metric): pairs_of(metric, questions, measured["base"], measured["tuned"])
        for metric in section.metrics
    }


def compared(pairs: dict[str, Pairs], section: EvaluateSection, environment: Environment) -> dict[str, Comparison]:
    """Every metric's comparison, the verdicts corrected for all of them."""
    return corrected(
        {
            name: compare(name, pair, environment.seed, section.resamples, section.confidence)
            for name, pair in pairs.items()
        }
    )


def forgotten(measured: dict[str, Measured], section: EvaluateSection, environment: Environment) -> Forgetting:
    """The comparison on general text."""
    base, tuned = measured["base"].passages, measured["tuned"].passages
    return forgetting(base, tuned, environment.seed, section.resamples, section.confidence)
