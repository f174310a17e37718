"""Which language a name is in: names of countries, languages, months and more in many languages, from the CLDR."""

from __future__ import annotations

import importlib.metadata
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from sevenfold.errors import MachineError, RecipeError
from sevenfold.prepare.sources import RawRow, Reading, Source

if TYPE_CHECKING:
    from babel import Locale

SHORTEST = 4
"""Names of fewer characters are mostly codes."""


class Languages(Source):
    """Names that only one of some languages writes so, with that language's English name as the label.

    They are the CLDR's, by the package Babel (`sevenfold[prepare]`): territories, languages, scripts, currencies,
    months and weekdays. A name that several of the languages share is left out, and counted. Columns: `text`, `label`.
    """

    main = "locales"
    locales: tuple[str, ...] = Field(
        ("cs", "da", "de", "en", "es", "fi", "fr", "hu", "it", "nl", "pl", "pt", "ro", "sv", "tr"),
        min_length=2,
        description="Languages, by their codes in the CLDR.",
    )
    each: int = Field(400, ge=1, description="Names of each language, at most.")
    seed: int = Field(17, description="Another seed, other names.")

    @field_validator("locales")
    @classmethod
    def each_once(cls, locales: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse a language that stands twice."""
        if len(set(locales)) < len(locales):
            raise ValueError("a language stands twice")
        return locales

    def size(self) -> int:
        """Nothing is counted in bytes: there are no files of the user's."""
        return 0

    def fingerprints(self) -> dict[str, str]:
        """The version of Babel, which is the data.

        Raises:
            MachineError: It is not installed.
        """
        try:
            return {"babel": importlib.metadata.version("babel")}
        except importlib.metadata.PackageNotFoundError:
            raise MachineError("Babel is not installed", next_step="pip install 'sevenfold[prepare]'") from None

    def rows(self, reading: Reading) -> Iterator[RawRow]:
        """The names in an order that the seed decides.

        Raises:
            RecipeError: The CLDR has no such language.
        """
        from babel import Locale, UnknownLocaleError

        owners: dict[str, set[str]] = defaultdict(set)
        for code in self.locales:
            try:
                locale = Locale.parse(code)
            except (UnknownLocaleError, ValueError) as error:
                raise RecipeError(f"the CLDR has no language {code!r}: {error}", where="prepare.source") from None
            for name in names(locale):
                owners[name].add(code)
        shared = sum(len(codes) > 1 for codes in owners.values())
        reading.note(f"languages: {len(owners) - shared:,} names of one language each; {shared:,} of several left out")
        dice = Random(self.seed)
        found: list[tuple[str, str]] = []
        for code in self.locales:
            own = sorted(name for name, codes in owners.items() if codes == {code})
            label = str(Locale.parse(code).get_display_name("en"))
            found += [(name, label) for name in dice.sample(own, min(self.each, len(own)))]
        dice.shuffle(found)
        for number, (name, label) in enumerate(found, start=1):
            yield RawRow({"text": name, "label": label}, f"languages:{number}")


def names(locale: Locale) -> Iterator[str]:
    """The names that a language has for things; codes are none."""
    lists = (locale.territories, locale.languages, locale.scripts, locale.currencies)
    for found in lists:
        yield from (name for code, name in found.items() if len(name) >= SHORTEST and name != code)
    for kind in (locale.months, locale.days):
        yield from (name for name in kind["format"]["wide"].values() if len(name) >= SHORTEST)
