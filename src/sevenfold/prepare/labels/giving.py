"""The pass over the sources before the other one: rows without a label are given one, or put to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.errors import DataError
from sevenfold.prepare.findings import Findings, Table
from sevenfold.prepare.formats import as_text, no_column
from sevenfold.prepare.formats.labelled import TEXTS
from sevenfold.prepare.labels.automatic import Automatic, guess
from sevenfold.prepare.labels.given import UNLABELLED, Given
from sevenfold.prepare.labels.queue import Answer, Meta, Review, read_answers, write_reviews
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
    for number, (said, _) in voted.taken.items():
        pool.labels[number], pool.by[number] = said, "functions"
    automatic = guess(pool.texts, pool.labels, pool.by, label, section.split.seed)
    for number, (said, _) in automatic.taken.items():
        pool.labels[number], pool.by[number] = said, "model"
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
    said: dict[str, dict[str, Answer]] = {}
    for file in label.answers:
        for answer in read_answers(Path(file)):
            check(answer, label, file)
            # Who answers twice has changed their mind.
            said.setdefault(answer.origin, {})[answer.annotator] = answer
    known = {origin: number for number, origin in enumerate(pool.origins)}
    lost = [origin for origin in said if origin not in known]
    if lost:
        entry.warn(f"{len(lost)} answers are of rows that are not there, the first of {lost[0]}")
    count = 0
    for origin, answers in said.items():
        best = most(answers.values())
        if origin in known and best is not None:
            pool.labels[known[origin]], pool.by[known[origin]] = best, "people"
            count += 1
    return count


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
        best = max(scores, key=lambda one: scores[one]) if scores else None
        why = f"the likeliest label has {scores[best]:.0%}" if best else "nothing is known of it"
        found.append(Review(pool.origins[number], pool.texts[number], best, scores, why))
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
