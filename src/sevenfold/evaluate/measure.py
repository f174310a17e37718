"""One model over all rows: its answers, the likelihood of the references, the likelihood of general text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.errors import DataError
from sevenfold.evaluate.held_out import Question, answered
from sevenfold.evaluate.jsonl import TOGETHER, Kept
from sevenfold.evaluate.metrics import (
    AnswerMetric,
    AnswersMetric,
    Likelihood,
    LikelihoodMetric,
    PairMetric,
    ProbabilitiesMetric,
    RankMetric,
    RowMetric,
)
from sevenfold.evaluate.report import Answers
from sevenfold.evaluate.retrieval import ranks
from sevenfold.generate.engine import Engine, Sampling
from sevenfold.prepare.dataset import REJECTED

if TYPE_CHECKING:
    from sevenfold.console import Task
    from sevenfold.evaluate.examined import Examined
    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.record import Entry


@dataclass(frozen=True, slots=True)
class Work:
    """What each model is asked.

    Args:
        questions: The held-out rows; ``answered``, ``scored``, ``judged`` and ``ranked`` say whether a metric needs
            answers, the likelihoods of the references, those of rejected answers, and where own texts are found.
        passages: General text, each token of it supervised but the first.
        prompted: Whether a metric needs the likelihoods of the prompts.
        reread: Whether a metric needs the likelihood of each model's own answers.
    """

    questions: list[Question]
    passages: list[TokenSequence]
    answered: bool
    scored: bool
    judged: bool = False
    ranked: bool = False
    prompted: bool = False
    reread: bool = False

    @property
    def units(self) -> int:
        """Answers and scores in all."""
        each = self.answered + self.scored + self.judged + self.ranked + self.prompted
        return len(self.questions) * each + len(self.passages)

    def led(self, lead: Sequence[int]) -> Work:
        """The same work behind virtual tokens."""
        questions = [one.led(lead) for one in self.questions]
        return replace(self, questions=questions, passages=[one.led(lead) for one in self.passages])


@dataclass(slots=True)
class Measured:
    """What one model gave, in the order of the questions and of the passages.

    ``answers`` are dictionaries with ``text``, ``finish_reason`` and ``tokens``, and ``labels``, the probability of
    each, where the model answers with one, and ``own``, their likelihood, where a metric asks for it. ``checks`` has
    what each check found.
    """

    answers: list[dict[str, Any]] = field(default_factory=list)
    references: list[Likelihood] = field(default_factory=list)
    rejected: list[Likelihood] = field(default_factory=list)
    ranks: list[float] = field(default_factory=list)
    passages: list[Likelihood] = field(default_factory=list)
    prompts: list[Likelihood] = field(default_factory=list)
    checks: dict[str, Examined] = field(default_factory=dict)

    def likelihoods(self, of: str) -> list[Likelihood]:
        """What the model thinks of each ``reference``, ``prompt`` or own ``answer``."""
        if of == "answer":
            return [Likelihood(**answer["own"]) for answer in self.answers]
        return {"reference": self.references, "prompt": self.prompts}[of]

    def summary(self) -> Answers:
        """The answers as a whole."""
        return Answers(
            rows=len(self.answers),
            cut=sum(answer["finish_reason"] == "length" for answer in self.answers),
            empty=sum(not answer["text"].strip() for answer in self.answers),
            mean_tokens=sum(answer["tokens"] for answer in self.answers) / len(self.answers),
        )


def work_for(section: EvaluateSection, questions: list[Question], passages: list[TokenSequence]) -> Work:
    """The work that a section's metrics need."""
    read = {metric.of for metric in section.metrics if isinstance(metric, LikelihoodMetric)}
    return Work(
        questions,
        passages,
        answered="answer" in read
        or any(
            isinstance(metric, AnswerMetric | AnswersMetric | ProbabilitiesMetric | RowMetric)
            for metric in section.metrics
        ),
        scored="reference" in read or any(isinstance(metric, PairMetric) for metric in section.metrics),
        judged=any(isinstance(metric, PairMetric) for metric in section.metrics),
        ranked=any(isinstance(metric, RankMetric) for metric in section.metrics),
        prompted="prompt" in read,
        reread="answer" in read,
    )


def plain_sequence(text: str, encoder: Encoder) -> TokenSequence:
    """General text as the tokenizer reads plain text, with its own special tokens; all is supervised but the first."""
    ids = list(encoder.tokenizer(text)["input_ids"])
    return TokenSequence(ids, [0.0, *[1.0] * (len(ids) - 1)])


def measure(
    name: str,
    open_engine: Callable[[], Engine],
    work: Work,
    section: EvaluateSection,
    entry: Entry,
    examine: Callable[[str, Engine, Kept], dict[str, Examined]],
) -> Measured:
    """Ask one model everything; what an interrupted run has finished is not asked again.

    Args:
        name: ``base`` or ``tuned``, the name of the file that keeps the results as they come.
        open_engine: Builds the model; called once.
        work: What to ask.
        section: Lengths and batch size.
        entry: Where to keep and show it.
        examine: Asks the model, by its name, what the checks ask.
    """
    kept = Kept(entry.folder / f"{name}.jsonl")
    if 0 < len(kept.values) < work.units:
        entry.note(f"{name}: {len(kept.values)} of {work.units} results are there from an interrupted run")
    found = Measured()
    with open_engine() as engine, entry.console.task(f"{name} model", work.units) as bar:
        asking = Asking(kept, section, bar, work.reread)
        if work.scored:
            found.references = asking.likelihoods(engine, "reference", work.questions, lambda one: one.sequence)
        if work.judged:
            found.rejected = asking.likelihoods(engine, "rejected", work.questions, rejected_of)
        if work.prompted:
            found.prompts = asking.likelihoods(engine, "prompt", work.questions, Question.prompt_sequence)
        if work.ranked:
            for own, questions in by_adapter(engine, work.questions):
                asking.rank(own, questions, sorted({question.reference for question in work.questions}))
            found.ranks = [kept.values[f"rank {question.number}"]["rank"] for question in work.questions]
        passages = {f"passage {index}": sequence for index, sequence in enumerate(work.passages)}
        asking.score(engine, passages)
        found.passages = [likelihood(kept, key) for key in passages]
        if work.answered:
            for own, questions in by_adapter(engine, work.questions):
                asking.answer(own, {f"answer {question.number}": question for question in questions})
            found.answers = [kept.values[f"answer {question.number}"] for question in work.questions]
        found.checks = examine(name, engine, kept)
    return found


def by_adapter(engine: Engine, questions: Sequence[Question]) -> Iterator[tuple[Engine, list[Question]]]:
    """The questions with the engine that they are put to: where it holds several adapters, as that of their task."""
    adapters = engine.tasks
    if not adapters:
        yield engine, list(questions)
    for task, own in adapters.items():
        yield own, [question for question in questions if question.task == task]


def rejected_of(question: Question) -> TokenSequence:
    """A row's rejected answer behind its prompt.

    Raises:
        DataError: The row has none.
    """
    if question.rejected is None:
        raise DataError(
            f"a held-out row has no column {REJECTED!r}, and a metric compares its answer with another one",
            where=question.origin,
            next_step="leave the metric out of evaluate.metrics; or format: preference, which reads prompt, chosen and "
            "rejected",
        )
    return question.rejected


def likelihood(kept: Kept, key: str) -> Likelihood:
    """A kept score."""
    return Likelihood(**kept.values[key])


@dataclass(frozen=True, slots=True)
class Asking:
    """Puts work to an engine, but for what is kept.

    Args:
        kept: The results.
        section: Lengths and batch size.
        bar: The progress.
        reread: Whether the model scores its own answers as well.
    """

    kept: Kept
    section: EvaluateSection
    bar: Task
    reread: bool = False

    def likelihoods(
        self, engine: Engine, kind: str, questions: Sequence[Question], sequence: Callable[[Question], TokenSequence]
    ) -> list[Likelihood]:
        """What the model thinks of one sequence of each question, kept under its kind."""
        for own, some in by_adapter(engine, questions):
            self.score(own, {f"{kind} {question.number}": sequence(question) for question in some})
        return [likelihood(self.kept, f"{kind} {question.number}") for question in questions]

    def score(self, engine: Engine, sequences: Mapping[str, TokenSequence]) -> None:
        """Keep the likelihood of every sequence by its key."""

        def work(batch: Sequence[TokenSequence]) -> list[dict[str, Any]]:
            return [{"nll": one.nll, "tokens": one.tokens} for one in engine.score(batch)]

        self.kept.complete(sequences, self.section.batch * TOGETHER, len, work, self.bar)

    def rank(self, engine: Engine, questions: Sequence[Question], pool: Sequence[str]) -> None:
        """Keep the place at which each question's own text is found; the vectors of all are needed for any."""

        def work(batch: Sequence[Question]) -> list[dict[str, Any]]:
            return [{"rank": rank} for rank in ranks(engine, batch, pool)]

        asked = {f"rank {question.number}": question for question in questions}
        self.kept.complete(asked, max(1, len(asked)), lambda one: len(one.reference), work, self.bar)

    def answer(self, engine: Engine, questions: Mapping[str, Question]) -> None:
        """Keep the answer to every question by its key."""
        sampling = Sampling(max_new_tokens=self.section.max_new_tokens)

        def work(batch: Sequence[Question]) -> list[dict[str, Any]]:
            given = engine.generate([question.prompt_ids for question in batch], sampling)
            found = [
                {"text": one.text, "finish_reason": one.finish_reason, "tokens": one.completion_tokens}
                | ({"labels": one.labels} if one.labels else {})
                for one in given
            ]
            if self.reread:
                written = [answered(asked.prompt_ids, one.ids) for asked, one in zip(batch, given, strict=True)]
                for one, score in zip(found, engine.score(written), strict=True):
                    one["own"] = {"nll": score.nll, "tokens": score.tokens}
            return found

        self.kept.complete(questions, self.section.batch * TOGETHER, lambda one: len(one.prompt_ids), work, self.bar)
