"""Robustness: the held-out questions once more as other people would type them; what that costs each model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from sevenfold.chat.conversation import Message
from sevenfold.errors import DataError
from sevenfold.evaluate.checks import Check
from sevenfold.evaluate.checks._costs import LOST, advice, charts, costs_of, sentence
from sevenfold.evaluate.examined import Checked, Examined, Figure, Weighing, compared
from sevenfold.evaluate.metrics import AnswerMetric, AnswersMetric, Metric, RowMetric, metric_name
from sevenfold.evaluate.perturbations import PERTURBATIONS, Perturbation, default_perturbations
from sevenfold.findings import Table
from sevenfold.generate.labels import LabelEngine
from sevenfold.schema import Chosen

if TYPE_CHECKING:
    from sevenfold.evaluate.held_out import Question
    from sevenfold.evaluate.metrics import Better
    from sevenfold.evaluate.subject import Subject

CHANGED = Figure("changed", "share of answers that are no longer the same", "lower", binary=True)
REFERENCE = Figure("reference_loss", "loss of the reference answer, nats per token", "lower", "nats per token")


@dataclass(frozen=True)
class Disturbed:
    """A question under one perturbation.

    Args:
        question: The question as it is.
        way: The perturbation's name.
        asked: The messages with the last of the user's disturbed.
    """

    question: Question
    way: str
    asked: tuple[Message, ...]

    @property
    def key(self) -> str:
        """Stands for it in every run."""
        return f"{self.way} {self.question.number}"


class Robustness(Check):
    """Held-out questions asked again as other people would type them.

    With typos, in another case, without punctuation, with digits and letters of another keyboard: the run's own metrics
    under each, the share of answers that changed, and the likelihood of the reference. Only the user's last message is
    disturbed. Rows in which a perturbation finds nothing to change do not count for it.
    """

    title: ClassVar[str] = "Robustness to how a question is typed"
    main = "perturbations"
    perturbations: list[Annotated[Perturbation, Chosen(PERTURBATIONS)]] = Field(
        default_factory=default_perturbations, min_length=1, description="What is done to the questions, by name."
    )
    rows: int = Field(32, ge=1, description="Held-out rows that are disturbed, drawn with the seed.")

    def figures(self) -> Sequence[Figure]:
        """What comes of any run; those of the run's own metrics stand beside them."""
        return (CHANGED, REFERENCE)

    def examine(self, subject: Subject) -> Examined:
        """Ask everything once as it is and once in each way."""
        questions = usual(subject, self.drawn(subject))
        ways = {PERTURBATIONS.name_of(one): one for one in self.perturbations}
        asked = [one for name, way in ways.items() for one in disturbed(questions, name, way, subject.seed)]
        clean = [Disturbed(question, "clean", question.prompt) for question in questions]
        if not asked:
            raise DataError(
                "no held-out question has anything that the chosen perturbations change",
                where="evaluate.checks: robustness",
                value=", ".join(ways),
                alternatives=PERTURBATIONS.names(),
                next_step="choose others",
            )
        return Asking(subject, [one for one in subject.metrics if scored(one)]).examined(clean, asked, ways)

    def drawn(self, subject: Subject) -> list[Question]:
        """The rows that are disturbed, in their order."""
        places = range(len(subject.questions))
        chosen = Random(subject.seed).sample(places, min(self.rows, len(places)))
        return [subject.questions[place] for place in sorted(chosen)]

    def findings(self, base: Examined, tuned: Examined, weighing: Weighing) -> Checked:
        """Every figure under each perturbation, base against tuned, and what each loses."""
        figures = figures_of(base, tuned)
        found = compared(self.title, figures, base, tuned, weighing)
        sides = {"base": base, "tuned": tuned}
        costs = list(costs_of(figures, sides, weighing))
        found.tables.append(self.meanings(base))
        found.tables.append(
            Table(
                "What each disturbance costs",
                ("disturbance", "model", "figure", "as it is", "disturbed", "worse by", "interval", "sure"),
                [cost.line() for cost in costs],
            )
        )
        found.more["costs"] = [cost.as_json() for cost in costs]
        found.charts += charts(costs, figures)
        sure = sorted((one for one in costs if one.sure and one.model == "tuned"), key=lambda one: -one.share)
        found.said = f"{sentence(sure, len({item['row'] for item in base.items}))} {found.said}"
        found.advice += advice(sure)
        return found

    def meanings(self, base: Examined) -> Table:
        """What each perturbation does, whether it keeps the meaning, and on how many rows it found something."""
        lines = []
        for one in self.perturbations:
            name = PERTURBATIONS.name_of(one)
            rows = sum(item["group"] == name for item in base.items)
            lines.append((name, one.says, one.meaning, rows))
        return Table("The disturbances", ("disturbance", "what is done", "meaning", "rows that it changes"), lines)


def usual(subject: Subject, questions: Sequence[Question]) -> list[Question]:
    """The questions that are a conversation's last turn, as servers get them.

    Raises:
        DataError: The objective asks in another way: there is no user's message to disturb.
    """
    encoder = subject.engine.encoder
    found = [
        one
        for one in questions
        if one.prompt and one.prompt[-1].role == "user" and [*encoder.prompt(one.prompt)] == one.prompt_ids
    ]
    if not found:
        raise DataError(
            "the held-out rows are not questions of a user, so there is nothing to type in another way",
            where="evaluate.checks: robustness",
            expected="rows whose last message before the answer is the user's",
            next_step="leave robustness out of evaluate.checks",
        )
    if len(found) < len(questions):
        subject.console.warn(f"robustness: {len(questions) - len(found)} rows do not end with a user's message")
    return found


def disturbed(questions: Sequence[Question], name: str, way: Perturbation, seed: int) -> Iterator[Disturbed]:
    """The questions that a perturbation changes, each by a draw of its own: the same whoever else is drawn."""
    for question in questions:
        last = question.prompt[-1]
        text = way.apply(last.content, Random(f"{seed} {name} {question.origin} {question.number}"))
        if text != last.content:
            yield Disturbed(question, name, (*question.prompt[:-1], replace(last, content=text)))


def scored(metric: Metric) -> bool:
    """Whether each row's answer has a value of its own by this metric."""
    return isinstance(metric, AnswerMetric | RowMetric | AnswersMetric)


@dataclass(frozen=True)
class Asking:
    """Puts the questions to one model.

    Args:
        subject: The model.
        metrics: Those of the run's metrics that judge an answer.
    """

    subject: Subject
    metrics: Sequence[Metric]

    def examined(
        self, clean: Sequence[Disturbed], asked: Sequence[Disturbed], ways: dict[str, Perturbation]
    ) -> Examined:
        """An item for each disturbed question, with its values and what they lose."""
        every = [*clean, *asked]
        answers, losses = self.answers(every), self.losses(every)
        values = self.judged(every, [answers[one.key]["text"] for one in every])
        if losses:
            for key, found in values.items():
                found[REFERENCE.name] = losses.get(key, math.nan)
        better: dict[str, Better] = {metric_name(metric): metric.better for metric in self.metrics}
        names = [*better, *([REFERENCE.name] if losses else [])]
        better[REFERENCE.name] = REFERENCE.better
        made = Examined(values={name: [] for name in (CHANGED.name, *names, *(LOST + name for name in names))})
        for one in asked:
            before = Disturbed(one.question, "clean", one.question.prompt).key
            made.items.append(
                {
                    "group": one.way,
                    "row": one.question.number,
                    "origin": one.question.origin,
                    "meaning": ways[one.way].meaning,
                    "asked": one.question.prompt[-1].content,
                    "disturbed": one.asked[-1].content,
                    "reference": one.question.reference,
                    "answer": answers[before]["text"],
                    "disturbed_answer": answers[one.key]["text"],
                    "better": better,
                }
            )
            changed = answers[before]["text"].strip() != answers[one.key]["text"].strip()
            made.values[CHANGED.name].append(float(changed))
            for name in names:
                new, old = values[one.key][name], values[before][name]
                made.values[name].append(new)
                made.values[LOST + name].append(new - old if better[name] == "lower" else old - new)
        return made

    def answers(self, every: Sequence[Disturbed]) -> dict[str, dict[str, Any]]:
        """What the model answers to each."""
        found: dict[str, dict[str, Any]] = {}
        for subject, own in by_task(self.subject, every):
            asked = {one.key: one.asked for one in own}
            found |= subject.answers(asked, subject.max_new_tokens, "robustness, answers")
        return found

    def losses(self, every: Sequence[Disturbed]) -> dict[str, float]:
        """The loss of each reference; what is too long for the model has none, and labels have none at all."""
        found: dict[str, float] = {}
        if isinstance(self.subject.engine, LabelEngine):
            return found
        for subject, own in by_task(self.subject, every):
            sequences = {one.key: subject.reply(one.asked, one.question.reference) for one in own}
            short = {key: one for key, one in sequences.items() if len(one) <= subject.engine.context}
            likely = subject.likelihoods(short, "robustness, references")
            found |= {key: one.nll / one.tokens for key, one in likely.items()}
        return found

    def judged(self, every: Sequence[Disturbed], answers: Sequence[str]) -> dict[str, dict[str, float]]:
        """Every answer's value by each metric."""
        asked = [one.question for one in every]
        everyone = [question.reference for question in self.subject.questions]
        columns = {metric_name(metric): values_of(metric, asked, answers, everyone) for metric in self.metrics}
        return {one.key: {name: own[place] for name, own in columns.items()} for place, one in enumerate(every)}


def values_of(
    metric: Metric, asked: Sequence[Question], answers: Sequence[str], everyone: Sequence[str]
) -> list[float]:
    """Each answer's value; of a metric of all answers together, the row's own.

    Args:
        metric: The metric.
        asked: The question of each answer.
        answers: The answers.
        everyone: The references of all held-out rows: which labels there are is read from them, as in the run itself.
    """
    if isinstance(metric, RowMetric):
        return [float(value) for value in metric.values(answers, asked)]
    references = [question.reference for question in asked]
    if isinstance(metric, AnswersMetric):
        table = metric.table([*answers, *[""] * len(everyone)], [*references, *everyone])
        return [float(value) for value in table[: len(answers), 0]]
    assert isinstance(metric, AnswerMetric)
    return [float(metric.value(answer, reference)) for answer, reference in zip(answers, references, strict=True)]


def by_task(subject: Subject, every: Sequence[Disturbed]) -> Iterator[tuple[Subject, list[Disturbed]]]:
    """The questions with the model that they are put to: where it holds several adapters, that of their task."""
    adapters = subject.engine.tasks
    if not adapters:
        yield subject, list(every)
    for task, own in adapters.items():
        yield replace(subject, engine=own), [one for one in every if one.question.task == task]


def figures_of(base: Examined, tuned: Examined) -> list[Figure]:
    """The figures that both models have, what is lost behind what is measured."""
    better: dict[str, Better] = base.items[0]["better"]
    found = [CHANGED]
    # Of two models one may write and the other answer with labels, which have no likelihood of a text.
    for name in (name for name in base.values if name in better and name in tuned.values):
        said = REFERENCE.says if name == REFERENCE.name else f"{name} of the answers to disturbed questions"
        unit = REFERENCE.unit if name == REFERENCE.name else ""
        binary = {*base.values[name], *tuned.values[name]} <= {0.0, 1.0}
        found.append(Figure(name, said, better[name], unit, binary))
        found.append(Figure(LOST + name, f"how much worse {name} is than without the disturbance", "lower", unit))
    return found
