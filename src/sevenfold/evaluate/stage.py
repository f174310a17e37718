"""The stage ``evaluate``: base and tuned model on the same held-out rows, and what the difference is worth."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.evaluate import known
from sevenfold.evaluate.checking import Examination
from sevenfold.evaluate.curve import read_curve
from sevenfold.evaluate.forgetting import Forgetting, forgetting
from sevenfold.evaluate.gaps import gaps
from sevenfold.evaluate.groups import TASK, by_group, grouping
from sevenfold.evaluate.held_out import HeldOut, Question, held_out
from sevenfold.evaluate.jsonl import write_lines
from sevenfold.evaluate.labels import spread_of
from sevenfold.evaluate.many import corrected
from sevenfold.evaluate.measure import Measured, measure, plain_sequence, work_for
from sevenfold.evaluate.metrics import metric_name
from sevenfold.evaluate.others import compare_others
from sevenfold.evaluate.paired import Comparison, Pairs, compare
from sevenfold.evaluate.passages import passages
from sevenfold.evaluate.power import promise
from sevenfold.evaluate.report import ROWS_FILE, Report, overall, summarise
from sevenfold.evaluate.rows import pairs_of, row_objects
from sevenfold.evaluate.trained import Trained
from sevenfold.generate.labels import LabelEngine

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.generate.engine import Engine
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
    encoder, lead = model.encoder(), tuned.lead(model)
    # Virtual tokens stand before what the tuned model reads; both models are asked what fits behind them.
    room = model.card.context - len(lead)
    grouped = grouping(section, tuned)
    chosen = held_out(
        dataset, encoder, room, section.rows, environment.seed, tuned.task_of, grouped, tuned.chosen_objective().asked
    )
    note_rows(chosen, section, entry)
    objective = tuned.chosen_objective()
    # Who answers with labels has no likelihood of a text.
    general = general_sequences(section, encoder, room, entry) if objective.writes else []
    work = work_for(section, chosen.questions, general)
    works = {"base": work, "tuned": work.led(lead)}
    engines: dict[str, Callable[[], Engine]] = {
        "base": opener(lambda: base_engine(section, model, environment, tuned)),
        "tuned": opener(
            lambda: tuned.engine(
                placed(tuned.network(model, environment.dtype), environment), model, model.encoder(lead), section.batch
            )
        ),
    }
    if work.passages and tuned.tasks():
        entry.note(f"general text is read by the adapter of the task {tuned.tasks()[0]!r}")
    same = known.content_key(work, section, dataset, model, environment, tuned)
    known.lend(same, entry)
    examine = Examination(section, dataset, chosen.questions, {"base": (), "tuned": lead}, environment.seed, entry)
    measured = {
        name: measure(name, open_engine, works[name], section, entry, examine.of)
        for name, open_engine in engines.items()
    }
    known.keep(same, entry)
    pairs = paired(section, chosen.questions, measured)
    write_lines(entry.folder / ROWS_FILE, row_objects(chosen.questions, measured["base"], measured["tuned"], pairs))
    comparisons = compared(pairs, section, environment)
    word = overall(comparisons)
    others = compare_others(section, dataset, environment, chosen.questions, measured, entry)
    lost = forgotten(measured, section, environment) if work.passages else None
    report = Report(
        better=word,
        summary=summarise(comparisons, word, lost),
        split=chosen.split,
        rows=len(chosen.questions),
        available=chosen.available,
        left_out=chosen.left_out,
        metrics=comparisons,
        grouped_by=section.by or (TASK if tuned.tasks() else ""),
        groups=by_group(chosen.questions, pairs, environment.seed, section.resamples, section.confidence),
        gaps=gaps(
            [question.group for question in chosen.questions],
            pairs,
            environment.seed,
            section.resamples,
            section.confidence,
        ),
        answers={name: one.summary() for name, one in measured.items()} if work.answered else {},
        labels=spread_of(section, chosen.questions, measured),
        forgetting=lost,
        curve=read_curve(tuned.losses, tuned.validation_losses, Trained.of(tuned)),
        others=others,
        checks=examine.report(measured["base"].checks, measured["tuned"].checks),
    )
    tell(report, section, entry)
    return report.save(entry.folder)


def base_engine(section: EvaluateSection, model: Model, environment: Environment, tuned: Tuned) -> Engine:
    """Who the tuned model is compared with: the base writing its answers to the same prompts, where it can write.

    A model that only reads has no answers before it is tuned; there it is the best answer without having read. Where
    nothing new is put beside the network, the base is asked as the tuned model is.
    """
    if tuned.chosen_objective().answers_untuned:
        return tuned.untuned(placed(model.network(environment.dtype), environment), model, section.batch)
    if model.card.kind == "encoder":
        unread = tuned.chosen_objective().unread()
        return LabelEngine(lambda prompts: [unread] * len(prompts), model.encoder(), model.card.context)
    from sevenfold.generate.engines.transformers import TransformersEngine

    return TransformersEngine(placed(model.network(environment.dtype), environment), model.encoder(), section.batch)


def placed(network: PreTrainedModel, environment: Environment) -> PreTrainedModel:
    """The network on its device."""
    network.to(environment.device)  # type: ignore[arg-type]
    return network


def note_rows(chosen: HeldOut, section: EvaluateSection, entry: Entry) -> None:
    """Say which rows are measured and which are not, and what so many can show, before anything is asked."""
    entry.note(f"{len(chosen.questions)} of {chosen.available} rows of the split {chosen.split}")
    for reason, count in chosen.left_out.items():
        entry.warn(f"{count} rows left out: {reason}")
    named = [(metric_name(metric), metric) for metric in section.metrics]
    for sentence in promise(named, len(chosen.questions), 1 - section.confidence):
        entry.note(sentence)


def general_sequences(section: EvaluateSection, encoder: Encoder, context: int, entry: Entry) -> list[TokenSequence]:
    """The passages of the forgetting check that the models can read; what they cannot is counted."""
    sequences = [plain_sequence(text, encoder) for text in passages(section.general_text)]
    fitting = [sequence for sequence in sequences if 2 <= len(sequence) <= context]
    if len(fitting) < len(sequences):
        entry.warn(
            f"{len(sequences) - len(fitting)} of {len(sequences)} passages of general text left out: "
            f"fewer than 2 or more than {context} tokens"
        )
    return fitting


def opener(make: Callable[[], Engine]) -> Callable[[], Engine]:
    """A function that makes an engine when nothing holds memory for the one before."""

    def open_engine() -> Engine:
        free_memory()
        return make()

    return open_engine


def free_memory() -> None:
    """Give back what the network before held."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


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
