"""The pass over the sources before the other one: rows without a label are given one, or put to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.errors import DataError
from sevenfold.findings import Findings, Table
from sevenfold.prepare.formats import as_text, no_column
from sevenfold.prepare.formats.labelled import TEXTS
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.automatic import Automatic, guess
from sevenfold.prepare.labels.given import UNLABELLED, Given
from sevenfold.prepare.labels.queue import Answer, Meta, Review, write_reviews
from sevenfold.prepare.labels.section import Label
from sevenfold.prepare.labels.voting import Voted, vote
from sevenfold.prepare.sources import Reading, Unreadable
from sevenfold.prepare.withdraw import Withdrawal
from sevenfold.record import Entry

if TYPE_CHECKING:
    from sevenfold.prepare.section import PrepareSection


@dataclass
class Pool:
    """All rows, as far as labels go; the texts stay in memory.

    Args:
        origins: Where each comes from.
        texts: What is labelled.
        rows: The columns, kept only where functions may ask for them.
        labels: Each row's label, or None.
        by: Who gave it; empty: it came with the row.
    """

    origins: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    by: list[str] = field(default_factory=list)

    def take(self, labels: Mapping[int, tuple[str, float]], by: str) -> None:
        """Give rows the labels that somebody said, each with its probability."""
        for number, (said, _) in labels.items():
            self.labels[number], self.by[number] = said, by

    def without(self) -> list[int]:
        """The rows that have no label."""
        return [number for number, label in enumerate(self.labels) if label is None]


def give_labels(section: PrepareSection, entry: Entry) -> Given:
    """The labels of all rows, and the queue of those that get none.

    Raises:
        DataError: A row, an answer or a function cannot be used.
    """
    label = section.label
    assert label is not None
    pool = gather(section, label, entry)
    answered = take_answers(pool, label, entry)
    voted = vote(pool.texts, pool.rows, pool.labels, label)
    pool.take(voted.taken, "functions")
    automatic = guess(pool.texts, pool.labels, pool.by, label, section.split.seed)
    pool.take(automatic.taken, "model")
    queued = write_reviews(entry.folder, queue(pool, voted, automatic, label), meta(pool, label))
    sources = {ours: theirs for theirs, ours in section.columns.items()}
    given = Given(sources.get(label.column, label.column))
    for origin, said, by in zip(pool.origins, pool.labels, pool.by, strict=True):
        if said is not None:
            given.labels[origin] = (said, by)
    given.findings.append(findings(pool, answered, voted, automatic, queued).as_json("label"))
    entry.note(f"label: {given.findings[0]['said']}")
    return given


def gather(section: PrepareSection, label: Label, entry: Entry) -> Pool:
    """Every row's text and label.

    Raises:
        DataError: A row has no column of text.
    """
    pool = Pool()
    total = sum(source.size() for source in section.source)
    with entry.console.task("reading for labels (bytes)", total) as task:
        # What a source has to say it says in the other pass.
        reading = Reading(task.advance, lambda _: None, lambda _: None)
        withdrawal = Withdrawal(section.withdraw)
        for source in section.source:
            for raw in source.rows(reading):
                if isinstance(raw, Unreadable) or withdrawal.of(raw):
                    continue  # Told of in the other pass.
                values = {section.columns.get(name, name): value for name, value in raw.values.items()}
                name = label.text or next((one for one in TEXTS if one in values), None)
                if name not in values:
                    raise no_column(values, name or "text", "prepare.label.text names the column").at(raw.origin)
                said = values.get(label.column)
                pool.origins.append(raw.origin)
                pool.texts.append(as_text(values[name], name))
                pool.rows.append(values if label.functions else {})
                pool.labels.append((as_text(said, label.column).strip() or None) if said is not None else None)
                pool.by.append("")
    return pool


def take_answers(pool: Pool, label: Label, entry: Entry) -> int:
    """Give rows what most people said of them, of equally many the most recent; gives how many rows.

    Raises:
        DataError: A file cannot be read, or an answer is none of the labels.
    """
    said: dict[str, list[Answer]] = {}
    for file in label.answers:
        for origin, by in held(Path(file), entry).items():
            for answer in by.values():
                check(answer, label, file)
            said.setdefault(origin, []).extend(by.values())
    known = {origin: number for number, origin in enumerate(pool.origins)}
    lost = [origin for origin in said if origin not in known]
    if lost:
        entry.warn(f"{len(lost)} answers are of rows that are not there, the first of {lost[0]}")
    count = 0
    for origin, answers in said.items():
        best = most(answers)
        if origin in known and best is not None:
            pool.labels[known[origin]], pool.by[known[origin]] = best, "people"
            count += 1
    return count


def held(path: Path, entry: Entry) -> Mapping[str, Mapping[str, Answer]]:
    """For each row of a file of answers what holds of each annotator, undone answers left out.

    Raises:
        DataError: There is no such file.
    """
    if not path.is_file():
        raise DataError("there is no such file of answers", where=str(path), next_step="correct prepare.label.answers")
    answers = Answers(path)
    if answers.broken:
        entry.warn(f"{path}: {answers.broken:,} lines are no answers and are left out")
    return answers.held


def check(answer: Answer, label: Label, file: str) -> None:
    """Refuse labels that there are not."""
    for one in [answer.label] if isinstance(answer.label, str) else answer.label or []:
        if label.labels and one not in label.labels:
            raise DataError(
                f"the answer {one!r} is no label",
                where=f"{file}, {answer.origin}",
                value=one,
                alternatives=label.labels,
            )


def most(answers: Iterable[Answer]) -> str | None:
    """The label that most say, of equally many the one said last; several labels of a row are one text."""
    told = [(answer.at, as_text(answer.label, "label")) for answer in answers if isinstance(answer.label, str)]
    told += [(answer.at, ", ".join(answer.label)) for answer in answers if isinstance(answer.label, list)]
    if not told:
        return None
    counts, last = Counter(label for _, label in told), {label: at for at, label in sorted(told)}
    return max(counts, key=lambda one: (counts[one], last[one]))


def queue(pool: Pool, voted: Voted, automatic: Automatic, label: Label) -> list[Review]:
    """The rows to ask about, the most useful first.

    Without a classifier: by how unsure the functions are. With one, the least sure come first, and a row that is near
    to one already asked waits (``automatic.order``).
    """
    rows = pool.without()
    unsure = {number: -max(voted.scores.get(number, {}).values(), default=0.0) for number in rows}
    order = automatic.order(rows, label.queue) or sorted(rows, key=lambda number: -unsure[number])
    found = []
    for number in order[: label.queue]:
        scores = automatic.scores.get(number) or voted.scores.get(number) or {}
        likeliest = max(scores, key=lambda one: scores[one]) if scores else None
        why = f"the likeliest label has {scores[likeliest]:.0%}" if likeliest else "nothing is known of it"
        found.append(Review(pool.origins[number], pool.texts[number], likeliest, scores, why))
    return found


def meta(pool: Pool, label: Label) -> Meta:
    """What people are asked."""
    return Meta(list(label.labels) or sorted({one for one in pool.labels if one is not None}), label.question)


def findings(pool: Pool, answered: int, voted: Voted, automatic: Automatic, queued: int) -> Findings:
    """How the rows came by their labels."""
    by = Counter(who or "source" for who, said in zip(pool.by, pool.labels, strict=True) if said is not None)
    left = len(pool.without())
    figures = {"rows": len(pool.texts), **by, UNLABELLED: left, "queued": queued, **voted.figures, **automatic.figures}
    said = f"{len(pool.texts) - left:,} of {len(pool.texts):,} rows have a label ("
    said += ", ".join(f"{who} {count:,}" for who, count in by.items()) + f"); {queued:,} wait in review.jsonl."
    lines = [(who, count) for who, count in [*by.items(), ("nobody", left)]]
    tables = [Table("Who gave the label", ("by", "rows"), lines), *voted.tables]
    advice = ["Label review.jsonl, name the answers in prepare.label.answers, and run again."] if queued else []
    return Findings("Labels", said, figures, tables, advice=[*advice, *automatic.advice])
