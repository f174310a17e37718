"""Raw rows to rows: columns renamed, the format settled for each source, the conversation read, columns kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import DataError
from sevenfold.prepare.clean import Dropped, Outcome
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.formats import FORMATS, Format, Unfit, as_text, no_column
from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.sources import SOURCES, RawRow, Reading, Source
from sevenfold.prepare.withdraw import MADE_BY, PARENTS, made_of

NOT_PLAIN = (list, dict, bytes)
"""Values that no field holds."""


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


@dataclass(frozen=True)
class Reader:
    """How the rows of one source become conversations; plain data, so that it can be sent to another process.

    Args:
        chosen: The format, as the first row settled it.
        section: The columns' names, what is kept.
    """

    chosen: Format
    section: PrepareSection

    def read(self, raw: RawRow) -> Outcome:
        """What a row becomes.

        Raises:
            DataError: It cannot be read; its place is said.
        """
        try:
            return as_row(self.chosen, self.section, renamed(raw.values, self.section.columns), raw.origin)
        except DataError as error:
            raise error.at(raw.origin) from None


def reader_of(raw: RawRow, section: PrepareSection, facts: SourceFacts, reading: Reading) -> Reader:
    """Settle by a source's first row how all of it is read, and say so.

    Args:
        raw: The first row.
        section: The format, the columns' names, what is kept.
        facts: Filled in.
        reading: Told which format was found and why.

    Raises:
        DataError: No format reads such a row, or a column is missing.
    """
    try:
        values = renamed(raw.values, section.columns)
        chosen = section.format.settle(values)
        describe(chosen, section, values, facts, reading)
    except DataError as error:
        raise error.at(raw.origin) from None
    return Reader(chosen, section)


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
    answered = False
    for message in conversation.messages:
        if message.supervised:
            return None
        answered = answered or message.role == "assistant"
    return "all_weights_zero" if answered else "no_assistant_turn"


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
        asked += [name for name in values if name not in read and not isinstance(values[name], NOT_PLAIN)]
    return list(dict.fromkeys(asked)) if len(asked) > 1 else asked


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
