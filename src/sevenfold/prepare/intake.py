"""Raw rows to rows: columns renamed, the format settled for each source, the conversation read, columns kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.prepare.clean import Dropped, Outcome
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.formats import FORMATS, Format, Unfit, as_text, no_column
from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.sources import SOURCES, RawRow, Reading, Source, Unreadable
from sevenfold.prepare.unreadable import Refusals
from sevenfold.prepare.withdraw import MADE_BY, PARENTS, Withdrawal, made_of


@dataclass
class SourceFacts:
    """What is reported of one source.

    Args:
        name: The source as the recipe names it.
        rows: Rows that it gave.
        format: The format it was read in.
        columns: ``read`` by the format, ``kept`` as fields, ``left`` behind.
    """

    name: str
    rows: int = 0
    format: str = ""
    columns: dict[str, list[str]] = field(default_factory=dict)


def shown(source: Source) -> str:
    """A source in a message: ``csv rows.csv``."""
    return f"{SOURCES.name_of(source)} {getattr(source, 'path', '')}".strip()


def read_source(
    source: Source, section: PrepareSection, reading: Reading, facts: SourceFacts, withdrawal: Withdrawal
) -> Iterator[tuple[RawRow, Outcome]]:
    """Every row of a source with what it became.

    Args:
        source: Where the rows come from.
        section: The format, the columns' names, what is kept.
        reading: Told of progress, and which format was found and why.
        facts: Filled in.
        withdrawal: Which rows are withdrawn.

    Raises:
        DataError: The first row cannot be read, or too many others; the place is said.
    """
    chosen: Format | None = None
    refusals = Refusals(facts.name, section.unreadable)
    for raw in source.rows(reading):
        facts.rows += 1
        if isinstance(raw, Unreadable):
            yield refusals.found(raw)
            continue
        gone = withdrawal.of(raw)
        if gone:
            yield gone
            continue
        try:
            values = renamed(raw.values, section.columns)
            chosen = chosen or section.format.settle(values)
            outcome = as_row(chosen, section, values, raw.origin)
        except DataError as error:
            if not refusals.read:
                raise error.at(raw.origin) from None  # The first row: the recipe does not fit the source.
            outcome = refusals.wrong(error.at(raw.origin))
        else:
            refusals.read += 1
            if refusals.read == 1:
                describe(chosen, section, values, facts, reading)
        yield raw, outcome
    refusals.finish(reading)


def renamed(values: dict[str, Any], columns: dict[str, str]) -> dict[str, Any]:
    """The values under the format's names.

    Raises:
        DataError: A column that the recipe maps is not there.
    """
    for name in columns:
        if name not in values:
            raise no_column(values, name, "correct prepare.columns; it maps your names to the format's")
    return {columns.get(name, name): value for name, value in values.items()} if columns else values


def as_row(chosen: Format, section: PrepareSection, values: dict[str, Any], origin: str) -> Outcome:
    """The row, or why nothing can be learnt from it."""
    try:
        conversation = chosen.read(values)
        fields = {name: as_text(values[name], name) for name in kept_columns(chosen, section, values)}
        fields |= chosen.fields(values)
    except Unfit as unfit:
        return Dropped(str(unfit))
    reason = unlearnable(conversation)
    if reason:
        return Dropped(reason)
    return Row(conversation, origin, fields, *(made_of(values) or ()))


def unlearnable(conversation: Conversation) -> str | None:
    """Why there is nothing to learn from a conversation, or None."""
    if all(message.role != "assistant" for message in conversation.messages):
        return "no_assistant_turn"
    return None if conversation.replies else "all_weights_zero"


def kept_columns(chosen: Format, section: PrepareSection, values: dict[str, Any]) -> list[str]:
    """The columns that go on as fields: those that are asked for, or all others whose cell here is a plain value.

    Raises:
        DataError: A column that is asked for, or that the split needs, is not there.
    """
    needed = [section.split.how.column] if section.split.how.column else []
    asked = [*(section.keep or []), *needed]
    for name in asked:
        if name not in values:
            raise no_column(values, name, "correct the column in prepare.split.how or prepare.keep")
    if section.keep is None:
        read = (*chosen.columns(values), *((MADE_BY, PARENTS) if made_of(values) else ()))
        asked += [
            name for name, value in values.items() if name not in read and not isinstance(value, list | dict | bytes)
        ]
    return list(dict.fromkeys(asked))


def describe(
    chosen: Format, section: PrepareSection, values: dict[str, Any], facts: SourceFacts, reading: Reading
) -> None:
    """Say how a source is read, from its first row."""
    read, kept = list(chosen.columns(values)), kept_columns(chosen, section, values)
    left = [name for name in values if name not in read and name not in kept]
    facts.format = FORMATS.name_of(chosen)
    facts.columns = {"read": read, "kept": kept, "left": left}
    why = f"found by its columns {', '.join(read)}" if chosen is not section.format else f"reads {', '.join(read)}"
    rest = f"; kept with the rows: {', '.join(kept)}" if kept else ""
    rest += f"; not kept: {', '.join(left)}" if left else ""
    reading.note(f"{facts.name}: format {facts.format}, {why}{rest}")
