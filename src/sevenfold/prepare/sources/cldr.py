"""The Unicode CLDR: exchanges between two languages, made of what the package Babel knows of both."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from random import Random
from typing import Literal, get_args

from pydantic import Field, field_validator

from sevenfold.errors import DataError
from sevenfold.prepare.sources import RawRow, Reading, Source
from sevenfold.prepare.sources._cldr import dates, deal, names, numbers
from sevenfold.prepare.sources._cldr.asking import Language
from sevenfold.prepare.sources._cldr.items import Item
from sevenfold.prepare.sources._cldr.pair import Side, needs, sides_of
from sevenfold.prepare.sources._cldr.words import speller

Kind = Literal[
    "territories",
    "languages",
    "currencies",
    "scripts",
    "units",
    "months",
    "weekdays",
    "lists",
    "dates",
    "numbers",
    "words",
    "measures",
    "amounts",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Cldr(Source):
    """Questions and answers in two languages, from the Unicode CLDR: names, lists of names, dates, numbers, quantities.

    English and Persian, or any two of its some hundred languages; the libraries are in `sevenfold[prepare]`.
    Columns: `prompt`, `completion`, `kind`, `format` (how it is asked), and `parts`, of which question and answer are
    composed: `how: {covered: parts}` holds out what can be answered from the parts that stay in training.
    """

    main = "languages"
    languages: tuple[str, str] = Field(("en", "fa"), description="Two locales of the CLDR, for example en, fa, pt_BR.")
    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="What is asked about.")
    ask: tuple[Language, ...] = Field(("en",), min_length=1, description="Languages of the instructions.")
    count: int = Field(4000, ge=1, description="Rows at most, shared evenly among the kinds as far as each has any.")
    seed: int = Field(17, description="Another seed, other dates, numbers and ways of asking.")
    rejected: bool = Field(
        False,
        description="Pairs: beside the right answer a wrong one, that of an earlier question asked in the same way.",
    )

    @field_validator("languages")
    @classmethod
    def differ(cls, languages: tuple[str, str]) -> tuple[str, str]:
        """Refuse one language twice."""
        if languages[0] == languages[1]:
            raise ValueError("the two languages are the same")
        return languages

    @field_validator("kinds", "ask")
    @classmethod
    def each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what stands twice."""
        if len(set(values)) < len(values):
            raise ValueError("something stands twice")
        return values

    def size(self) -> int:
        """Nothing is counted in bytes: there are no files of the user's."""
        return 0

    def fingerprints(self) -> dict[str, str]:
        """The versions of the libraries, which are the data.

        Raises:
            MachineError: One is not installed.
            RecipeError: The CLDR has no such locale.
        """
        sides_of(self.languages)
        spelling = ("num2words",) if "words" in self.kinds else ()
        return {library: version(library) for library in ("babel", *spelling)}

    def rows(self, reading: Reading) -> Iterator[RawRow]:
        """The rows, every kind in turn."""
        asking = deal.Asking(sides_of(self.languages), self.ask)
        kinds = Kinds(self, asking, reading)
        wrong = Wrong() if self.rejected else None
        for number, found in enumerate(deal.take_turns(kinds.all(), self.count), start=1):
            answers = wrong.beside(found) if wrong else {"completion": found.completion}
            if answers:
                row = {"prompt": found.prompt, **answers, "kind": found.kind}
                yield RawRow({**row, "format": found.format, "parts": "|".join(found.parts)}, f"cldr:{number}")


class Wrong:
    """Wrong answers of the right form: what was right for an earlier question that was asked in the same way."""

    def __init__(self) -> None:
        self.before: dict[str, str] = {}

    def beside(self, found: deal.Exchange) -> dict[str, str]:
        """The right answer and a wrong one; nothing where no other was right before."""
        other = self.before.get(found.format, found.completion)
        self.before[found.format] = found.completion
        return {} if other == found.completion else {"chosen": found.completion, "rejected": other}


class Kinds:
    """The kinds of one source as streams of exchanges.

    Args:
        source: What is asked for.
        asking: The two languages and the instructions.
        reading: Told what was left out.
    """

    def __init__(self, source: Cldr, asking: deal.Asking, reading: Reading) -> None:
        self.source, self.asking, self.reading = source, asking, reading
        self.names: dict[str, dict[str, Item]] = {}

    @property
    def sides(self) -> tuple[Side, Side]:
        """The two languages."""
        return self.asking.sides

    def all(self) -> list[Iterator[deal.Exchange]]:
        """One stream for each kind that there is."""
        made = ((kind, self.one(kind, Random(f"{self.source.seed} {kind}"))) for kind in self.source.kinds)
        return [stream for _, stream in made if stream is not None]

    def one(self, kind: str, dice: Random) -> Iterator[deal.Exchange] | None:
        """The exchanges of a kind; None, with a warning, where a language has no words for it."""
        if kind in names.NAMED:
            return deal.layered([*self.named(kind).values()], names.is_asked, self.asking, dice)
        if kind == "dates":
            return deal.drawn(dates.dates(self.sides, dice), dates.is_asked, self.asking, dice)
        if kind == "words":
            return self.spelt(dice)
        return deal.drawn(self.composed(kind, dice), lambda given, asked: True, self.asking, dice)

    def composed(self, kind: str, dice: Random) -> Iterator[Item]:
        """Items without end that are made of names and numbers."""
        if kind == "numbers":
            return numbers.numbers(self.sides, dice)
        if kind == "measures":
            return numbers.measures([*self.named("units")], self.sides, dice)
        if kind == "amounts":
            return numbers.amounts([*self.named("currencies")], self.sides, dice)
        listed: list[str] = [name for name in self.source.kinds if name in names.NAMED] or [*names.NAMED]
        return names.lists({name: [*self.named(name).values()] for name in listed}, self.sides, dice)

    def spelt(self, dice: Random) -> Iterator[deal.Exchange] | None:
        """Numbers in words, if both languages' are known."""
        spell = [speller(side) for side in self.sides]
        unknown = [side.code for side, found in zip(self.sides, spell, strict=True) if found is None]
        if unknown:
            self.reading.warn(f"cldr: no number words are known for {', '.join(unknown)}; the kind words is left out")
            return None
        found = numbers.spelt(self.sides, [say for say in spell if say is not None], dice)
        return deal.drawn(found, numbers.is_spelt, self.asking, dice)

    def named(self, kind: str) -> dict[str, Item]:
        """The names of a kind; what both languages cannot tell apart is left out, and counted.

        Raises:
            DataError: The two languages share no name of the kind.
        """
        if kind not in self.names:
            found, left_out = names.named_items(kind, self.sides)
            if not found:
                pair = " and ".join(side.code for side in self.sides)
                raise DataError(
                    f"the CLDR has no {kind} that {pair} both name", next_step="leave the kind out of kinds"
                )
            ambiguous = f"; {left_out} left out, whose names stand for several or are bare codes" if left_out else ""
            self.reading.note(f"cldr: {len(found)} {kind}{ambiguous}")
            self.names[kind] = found
        return self.names[kind]


def version(library: str) -> str:
    """The version of an installed library.

    Raises:
        MachineError: It is not installed.
    """
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        raise needs(library) from None
