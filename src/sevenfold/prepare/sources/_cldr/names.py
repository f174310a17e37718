"""Names that both languages have: regions, languages, currencies, scripts, units, months, weekdays; lists of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from sevenfold.prepare.sources._cldr.items import Item, Writing, writing
from sevenfold.prepare.sources._cldr.pair import Side

CODED = ("territories", "languages", "currencies", "scripts")
"""Kinds whose codes (ISO 3166, 639, 4217, 15924) are in use, so that they can be asked by."""
NAMED = (*CODED, "units", "months", "weekdays")
NO_NAMES = frozenset({"XA", "XB", "ZZ", "XXX", "XTS", "Zzzz", "mul", "root", "und", "zxx"})
"""Codes for tests, and for what is unknown."""
LONGEST = 3
"""Names in a list, at most."""


def names(kind: str, side: Side) -> dict[str, str]:
    """Code to name of one kind in one language."""
    locale = side.locale
    tables: Mapping[str, Any] = {
        "territories": locale.territories,
        "languages": locale.languages,
        "currencies": locale.currencies,
        "scripts": locale.scripts,
        "months": locale.months["stand-alone"]["wide"],
        "weekdays": locale.days["stand-alone"]["wide"],
        # A long name that is the short one is not written again in the CLDR's data.
        "units": {unit: of.get("long") or of.get("short") for unit, of in locale.unit_display_names.items()},
    }
    found = {str(code): side.own(name) for code, name in tables[kind].items() if name and str(code) not in NO_NAMES}
    # Numbers are the codes of continents and of parts of them; an underscore begins a variant of a language.
    return {code: name for code, name in found.items() if kind not in CODED or code.isalpha()}


def named_items(kind: str, sides: tuple[Side, Side]) -> tuple[dict[str, Item], int]:
    """Code to item, of a kind that both languages name without ambiguity; and how many were left out.

    A name that stands for two codes, or is a bare code, has no one translation.
    """
    tables = [names(kind, side) for side in sides]
    codes = [code for code in sorted(tables[0]) if code in tables[1]]
    counts = [Counter(table[code].casefold() for code in codes) for table in tables]
    kept = [
        code
        for code in codes
        if all(
            count[table[code].casefold()] == 1 and table[code] != code
            for table, count in zip(tables, counts, strict=True)
        )
    ]
    items = {code: named(kind, code, [table[code] for table in tables], sides) for code in kept}
    return items, len(codes) - len(kept)


def named(kind: str, code: str, texts: Sequence[str], sides: tuple[Side, Side]) -> Item:
    """One name in both languages, with its code where that is in use."""
    writings = [writing(side.code, "name", text, [text]) for side, text in zip(sides, texts, strict=True)]
    if kind in CODED:
        writings.append(writing(None, "code", code, [f"{kind} {code}"]))
    return Item(kind, kind, tuple(writings))


def is_asked(given: Writing, asked: Writing) -> bool:
    """A name is asked by the other language's or by its code; a code is never asked."""
    return asked.style != "code"


def lists(named: Mapping[str, list[Item]], sides: tuple[Side, Side], dice: Random) -> Iterator[Item]:
    """Lists of two or three names of one kind, joined as each language does."""
    from babel.lists import format_list

    kinds = [kind for kind in named if len(named[kind]) >= LONGEST]
    while kinds:
        kind = dice.choice(kinds)
        chosen = dice.sample(named[kind], dice.randint(2, LONGEST))
        writings = []
        for side in sides:
            each = [w for item in chosen for w in item.writings if w.language == side.code]
            text = side.own(format_list([w.text for w in each], locale=side.locale))
            writings.append(writing(side.code, "list", text, [w.text for w in each]))
        yield Item("lists", kind, tuple(writings))
