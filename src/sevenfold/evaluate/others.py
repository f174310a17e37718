"""Other models on the same rows: another run's, a folder's, the catalogue's; against base and against tuned.

A row is asked in each model's own words (its tokenizer and template). Rows that one model cannot read are left out of
its comparisons and counted; figures that count tokens are compared only where the tokens are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sevenfold.errors import ModelError
from sevenfold.evaluate.engines import tuned_engine, written_engine
from sevenfold.evaluate.held_out import Question, held_out
from sevenfold.evaluate.many import corrected
from sevenfold.evaluate.measure import Measured, measure, work_for
from sevenfold.evaluate.metrics import LikelihoodMetric, Metric, metric_name
from sevenfold.evaluate.paired import Comparison, compare
from sevenfold.evaluate.report import Other
from sevenfold.evaluate.rows import pairs_of
from sevenfold.load.model import Model
from sevenfold.record import RESULT_FILE, file_digest
from sevenfold.tune.tuned import Tuned

if TYPE_CHECKING:
    from sevenfold.evaluate.section import EvaluateSection
    from sevenfold.generate.engine import Engine
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment

T = TypeVar("T")
FOLDER = "others"
"""In the stage's folder: the models that the pipeline opened by their names."""
OF_MODEL, OF_TUNED = "2-load", "4-tune"
"""The folders of a run that hold its base and what it learnt."""


@dataclass(frozen=True)
class Opened:
    """Another model's files: a model, and what was learnt on it where it is a run's."""

    name: str
    source: str
    model: Model
    tuned: Tuned | None

    @property
    def lead(self) -> list[int]:
        """Its virtual tokens."""
        return self.tuned.lead(self.model) if self.tuned else []

    def engine(self, environment: Environment, batch: int) -> Engine:
        """It, ready to answer, in memory."""
        if self.tuned:
            return tuned_engine(self.model, environment, self.tuned, batch)
        return written_engine(self.model, environment, batch)


def is_run(source: str) -> bool:
    """Whether a name is that of a run's folder."""
    return (Path(source).expanduser() / OF_MODEL).is_dir()


def fingerprints(others: dict[str, str]) -> dict[str, str]:
    """What the names stand for: a run's results, a folder's small files; a catalogue's name says it itself."""
    found: dict[str, str] = {}
    for name, source in others.items():
        place = Path(source).expanduser()
        files = [place / OF_MODEL / RESULT_FILE, place / OF_TUNED / RESULT_FILE, *sorted(place.glob("*.json"))]
        found |= {f"other {name} {file.name} {file.parent.name}": file_digest(file) for file in files if file.is_file()}
    return found


def opened(name: str, source: str, folder: Path) -> Opened:
    """Another model's files.

    Args:
        name: What the recipe calls it.
        source: A run's folder, or what the pipeline opened by its name.
        folder: The stage's folder.

    Raises:
        ModelError: The run is not trained, or nothing opened the model.
    """
    run = Path(source).expanduser()
    place = run / OF_TUNED if is_run(source) else folder / FOLDER / name
    if not (place / RESULT_FILE).is_file():
        raise ModelError(
            f"the other model {name!r} is not there",
            where=f"evaluate.others.{name}",
            value=source,
            expected="the folder of a run that is trained, a model's folder, or a catalogue or hub name",
            next_step=f"sevenfold tune {run / 'recipe.yaml'}" if is_run(source) else "sevenfold evaluate RECIPE",
        )
    if is_run(source):
        return Opened(name, source, Model.open(run / OF_MODEL), Tuned.open(place))
    return Opened(name, source, Model.open(place), None)


def compare_others(
    section: EvaluateSection,
    dataset: Dataset,
    environment: Environment,
    questions: list[Question],
    measured: dict[str, Measured],
    entry: Entry,
) -> dict[str, Other]:
    """Ask every other model the same rows, one model in memory at a time, and compare it with base and with tuned.

    Args:
        section: Which others, and what is measured.
        dataset: Holds the held-out rows.
        environment: Device, precision and seed.
        questions: The rows as base and tuned were asked.
        measured: ``base`` and ``tuned``.
        entry: The stage's folder; results are kept there as ``other-NAME.jsonl`` as they come.
    """
    found: dict[str, Other] = {}
    pairwise: dict[tuple[str, str, str], Comparison] = {}
    for name, source in section.others.items():
        one = opened(name, source, entry.folder)
        asked = questions_of(one, section, dataset, environment, questions)
        places = [place for place, question in enumerate(questions) if question.number in asked]
        own = [asked[questions[place].number] for place in places]
        work = work_for(section, own, []).led(one.lead)
        theirs = measure(
            f"other-{name}",
            lambda one=one: one.engine(environment, section.batch),  # type: ignore[misc]
            work,
            section,
            entry,
            lambda *_: {},
        )
        ours = [questions[place] for place in places]
        base, tuned = (part(measured[side], places) for side in ("base", "tuned"))
        reasons = {}
        for metric in section.metrics:
            title = metric_name(metric)
            if reason := apart(metric, base, theirs):
                reasons[title] = reason
                continue
            for side, sides in (("base", (base, theirs)), ("tuned", (theirs, tuned))):
                pairs = pairs_of(metric, ours, *sides)
                pairwise[name, side, title] = compare(
                    title, pairs, environment.seed, section.resamples, section.confidence
                )
        missing = len(questions) - len(places)
        left_out = {"it cannot be asked the row": missing} if missing else {}
        found[name] = Other(
            source=source, rows=len(places), left_out=left_out, not_compared=reasons, against_base={}, against_tuned={}
        )
    for (name, side, title), comparison in corrected(pairwise).items():
        getattr(found[name], f"against_{side}")[title] = comparison
    for name, other in found.items():
        entry.note(told(name, other))
    return found


def questions_of(
    one: Opened, section: EvaluateSection, dataset: Dataset, environment: Environment, questions: Sequence[Question]
) -> dict[int, Question]:
    """The rows in the other model's own tokens, by their numbers; those that it cannot read are not among them."""
    room = one.model.card.context - len(one.lead)
    drawn = (dataset, one.model.encoder(), room, section.rows, environment.seed)
    if one.tuned:
        objective = one.tuned.chosen_objective()
        chosen = held_out(*drawn, task_of=one.tuned.task_of, asked=objective.asked)
    else:
        chosen = held_out(*drawn)
    numbers = {question.number for question in questions}
    return {question.number: question for question in chosen.questions if question.number in numbers}


def part(measured: Measured, places: Sequence[int]) -> Measured:
    """What a model did on some of the rows."""
    return replace(
        measured,
        references=picked(measured.references, places),
        rejected=picked(measured.rejected, places),
        answers=picked(measured.answers, places),
        ranks=picked(measured.ranks, places),
    )


def picked(values: list[T], places: Sequence[int]) -> list[T]:
    """Those at the places; none where none were asked for."""
    return [values[place] for place in places] if values else []


def apart(metric: Metric, one: Measured, other: Measured) -> str:
    """Why two models cannot be compared by a metric; empty where they can."""
    if not isinstance(metric, LikelihoodMetric):
        return ""
    if [each.tokens for each in one.references] == [each.tokens for each in other.references]:
        return ""
    return "it counts tokens, and theirs are not the same"


def told(name: str, other: Other) -> str:
    """What was found, in a sentence."""
    words = {"yes": "better", "no": "worse", "unclear": "not clear"}
    sides = (
        (f"{name} against the base", other.against_base),
        (f"tuned against {name}", other.against_tuned),
    )
    said = [
        f"{title}: "
        + ", ".join(f"{metric} {words[one.better]} ({one.difference:+.3g})" for metric, one in ones.items())
        for title, ones in sides
        if ones
    ]
    missing = [f"{metric} is not compared: {reason}" for metric, reason in other.not_compared.items()]
    return "; ".join([*said, *missing]) + f" ({other.rows} rows)"
