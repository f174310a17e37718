"""More rows from those that are there: the same question said with slips, noise, synonyms, or by way of a language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.findings import Findings, Table
from sevenfold.prepare.augment import AUGMENTERS, Augmenter, Known, Way
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.keys import content_key
from sevenfold.prepare.making.held_out import HeldOut
from sevenfold.prepare.making.likeness import SAMPLE, Likeness
from sevenfold.prepare.making.refusals import Refusals, refusals
from sevenfold.prepare.making.surrogate import Surrogate
from sevenfold.prepare.naming import known_names, value_of
from sevenfold.prepare.shelf import Shelf
from sevenfold.prepare.training import Change
from sevenfold.prepare.work import Work
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors

GROUP = 64
"""Rows whose copies are looked at together."""
SAME = 0.9
"""The cosine of two rows by chance from which the rows are nearly all alike."""
WAY = "made_with"
"""The column of a made row that names the way."""


def default_ways() -> list[Augmenter]:
    """Slips of the fingers."""
    return [AUGMENTERS.find("typos")()]


def default_vectors() -> Vectors:
    """Hashed characters, which need no model."""
    return VECTORS.find("ngrams")()


@dataclass(frozen=True)
class Draft:
    """A copy that has not entered yet.

    Args:
        conversation: What it says.
        parent: The row that it was made of.
        way: How.
        text: What was changed, as one text.
    """

    conversation: Conversation
    parent: Row
    way: str
    text: str


class Augment(Change):
    """Copies of training rows that say the same a little differently; each way is drawn as often as the others.

    A copy enters only if it passes: it is no row that is there, is alike enough but not the same, has about the same
    length, holds no words of held-out rows and, if asked, still seems to have its row's label. About 90 bytes a row.
    """

    main = "ways"
    ways: list[Annotated[Augmenter, Chosen(AUGMENTERS)]] = Field(
        default_factory=default_ways, min_length=1, description="How texts are changed, one way a copy."
    )
    parts: tuple[Literal["user", "system", "assistant"], ...] = Field(
        ("user",), min_length=1, description="The turns that are changed; with assistant the model learns to write so."
    )
    copies: float = Field(
        1.0, gt=0, le=100, description="Copies tried a row; 0.5: one for every second row, drawn by chance."
    )
    only: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Rows with these values alone: {label: [rare, rarer]}, reply being the last reply.",
    )
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=default_vectors, description="By which it is seen how alike a copy is to its row."
    )
    alike: tuple[float, float] = Field(
        (0.5, 1.0),
        description="Least and greatest likeness of a copy and its row: 0 is two rows by chance, 1 the same text.",
    )
    length: tuple[float, float] = Field((0.5, 2.0), description="Least and greatest length, as a ratio to the row's.")
    agree: str | None = Field(
        None, description="The label's column (or reply) whose value a classifier of the rows has to find in the copy."
    )

    @model_validator(mode="after")
    def borders(self) -> Augment:
        """Refuse borders that nothing can lie between."""
        for name in ("alike", "length"):
            least, greatest = getattr(self, name)
            if least >= greatest:
                raise ValueError(f"{name}: the least ({least}) has to be below the greatest ({greatest})")
        return self

    def rows(self, shelf: Shelf, work: Work) -> Generator[Row, None, Findings]:
        """Every row, and behind it the copies of it that enter."""
        known = Known(shelf, self.parts, work)
        texts = [text for text, _ in islice(known.texts(), 20 * SAMPLE)]
        if not texts:
            raise DataError(f"no training row has a turn of {', '.join(self.parts)}", where="prepare.training")
        if not any(self.wanted(row) for row in shelf):
            raise DataError(
                f"no training row has {' and '.join(f'{name} in {values}' for name, values in self.only.items())}",
                where=f"prepare.training: {work.name}.only",
                alternatives=known_names(shelf.row(0)),
                next_step="name a column that the rows keep, and values as they are written there",
            )
        ways = [(AUGMENTERS.name_of(way), way.start(known)) for way in self.ways]
        tried: Counter[str] = Counter()
        made: Counter[str] = Counter()
        with refusals(work) as refused, work.console.task(f"{work.name} (rows)", len(shelf)) as task:
            gate = Gate(self, known, Likeness(self.vectors, texts, work.random("likeness")), refused)
            rows = iter(shelf)
            while group := list(islice(rows, GROUP)):
                drafts = [draft for row in group for draft in self.drafts(row, ways, work, tried, refused)]
                yield from group
                for draft in gate.passing(drafts):
                    made[draft.way] += 1
                    yield work.make(draft.conversation, [draft.parent], {**draft.parent.fields, WAY: draft.way})
                task.advance(len(group), f"{work.made} made")
        return self.findings(tried, made, refused, gate.likeness, work)

    def wanted(self, row: Row) -> bool:
        """Whether a row is to have copies."""
        return all(value_of(row, name) in values for name, values in self.only.items())

    def drafts(
        self, row: Row, ways: list[tuple[str, Way]], work: Work, tried: Counter[str], refused: Refusals
    ) -> Iterator[Draft]:
        """What a row's copies would say."""
        if not self.wanted(row):
            return
        random = work.random(row.origin)
        for _ in range(int(self.copies) + (random.random() < self.copies % 1)):
            name, way = random.choice(ways)
            tried[name] += 1
            conversation = self.changed(row, way, random)
            if conversation is None:
                refused.add("nothing_to_change", row.conversation, [row], name)
            else:
                yield Draft(conversation, row, name, self.text(conversation))

    def changed(self, row: Row, way: Way, random: Random) -> Conversation | None:
        """A row's conversation with its parts changed; None where the way found nothing in any."""
        messages, done = [], False
        for message in row.conversation.messages:
            other = way(message.content, random, row) if message.role in self.parts else None
            done = done or other is not None
            messages.append(message if other is None else replace(message, content=other))
        return Conversation(tuple(messages)) if done else None

    def text(self, conversation: Conversation) -> str:
        """The parts that are changed, as one text."""
        return "\n".join(message.content for message in conversation.messages if message.role in self.parts)

    def findings(
        self, tried: Counter[str], made: Counter[str], refused: Refusals, likeness: Likeness, work: Work
    ) -> Findings:
        """What was made, and what was refused."""
        said = f"{work.made:,} rows were made of {tried.total():,} tries; {refused.reasons.total():,} were refused."
        figures = {
            "tried": tried.total(),
            "made": work.made,
            "made_by_way": dict(made),
            "refused": dict(refused.reasons),
            "chance_cosine": round(likeness.chance, 4),
        }
        ways = Table("By way", ("way", "tried", "made"), [(way, tried[way], made[way]) for way in sorted(tried)])
        advice = []
        if work.made < tried.total() / 2:
            advice.append(f"More than half of the copies were refused: read refused-{work.name}.jsonl.")
        if likeness.chance > SAME and refused.reasons["too_unlike"]:
            advice.append("The rows are nearly all alike, so that every change counts as a large one: lower alike.")
        return Findings("Augmented rows", said, figures, [ways, refused.table()], advice=advice)


class Gate:
    """What a copy has to pass.

    Args:
        settings: The borders.
        known: The rows.
        likeness: How alike two texts are.
        refused: Where the others go.
    """

    def __init__(self, settings: Augment, known: Known, likeness: Likeness, refused: Refusals) -> None:
        self.settings, self.likeness, self.refused = settings, likeness, refused
        self.seen = {content_key(row.conversation) for row in known.shelf}
        self.held_out = HeldOut(known.work.folder, known.shelf)
        self.surrogate = self.fitted(known) if settings.agree else None

    def fitted(self, known: Known) -> Surrogate:
        """The classifier of the rows' labels."""
        rows = [row for row in known.shelf if self.label(row)]
        return Surrogate(
            self.settings.vectors, [self.settings.text(row.conversation) for row in rows], list(map(self.label, rows))
        )

    def label(self, row: Row) -> str:
        """A row's label, empty where it has none."""
        return value_of(row, self.settings.agree or "")

    def passing(self, drafts: list[Draft]) -> Iterator[Draft]:
        """The drafts that may enter."""
        originals = [self.settings.text(draft.parent.conversation) for draft in drafts]
        alike = self.likeness.between([draft.text for draft in drafts], originals)
        labels = self.surrogate.labels([draft.text for draft in drafts]) if self.surrogate else [""] * len(drafts)
        for draft, original, near, label in zip(drafts, originals, alike, labels, strict=True):
            reason = self.reason(draft, len(draft.text) / max(len(original), 1), near, label)
            if reason:
                self.refused.add(reason, draft.conversation, [draft.parent], f"{draft.way}, likeness {near:.3f}")
                continue
            self.seen.add(content_key(draft.conversation))
            yield draft

    def reason(self, draft: Draft, ratio: float, near: float, label: str) -> str:
        """Why a draft may not enter; empty: it may."""
        (least, greatest), (shortest, longest) = self.settings.alike, self.settings.length
        checks = (
            ("empty", not draft.text.strip()),
            ("equal_to_a_row", content_key(draft.conversation) in self.seen),
            ("length", not shortest <= ratio <= longest),
            ("too_unlike", near < least),
            ("too_alike", near > greatest and greatest < 1),
            ("other_label", bool(self.surrogate) and label != self.label(draft.parent)),
            ("leak", self.held_out.leaks(draft.conversation, [draft.parent])),
        )
        return next((name for name, failed in checks if failed), "")
