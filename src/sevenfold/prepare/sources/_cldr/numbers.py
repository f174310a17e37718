"""Numbers: in digits, in words, with a unit, with a currency."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Literal

from sevenfold.prepare.sources._cldr.items import Item, Writing, words_of, writing
from sevenfold.prepare.sources._cldr.pair import Side

MOST_DIGITS = 8
MOST_SPELT = 6
"""Digits of the largest number, and of the largest that is spelt."""
FEWEST, MOST = 2, 99
"""Of a unit or a currency: whole numbers that take the plural where there is one."""


def numbers(sides: tuple[Side, Side], dice: Random) -> Iterator[Item]:
    """Whole numbers, decimals and percentages in digits."""
    while True:
        value = Decimal(whole(dice, MOST_DIGITS)).scaleb(-dice.randint(0, 2))
        kind = dice.choice(("number", "percent"))
        if kind == "percent":
            value = Decimal(dice.randint(1, 999)).scaleb(-1)
        written = [side.percent(value) if kind == "percent" else side.number(value) for side in sides]
        yield Item(
            "numbers",
            "numbers",
            tuple(writing(side.code, "digits", text, digits(text)) for side, text in zip(sides, written, strict=True)),
        )


def whole(dice: Random, most: int) -> int:
    """A whole number of one to ``most`` digits, every length as likely."""
    length = dice.randint(1, most)
    return dice.randrange(10 ** (length - 1), 10**length)


def digits(text: str) -> list[str]:
    """The signs of a number, and how many there are."""
    return [*text, f"{len(text)} signs"]


def spelt(sides: tuple[Side, Side], spell: list[Callable[[int], str]], dice: Random) -> Iterator[Item]:
    """Numbers in digits and in words."""
    while True:
        value = whole(dice, MOST_SPELT)
        writings = []
        for side, say in zip(sides, spell, strict=True):
            text, said = side.number(value), say(value)
            writings.append(writing(side.code, "digits", text, digits(text)))
            writings.append(writing(side.code, "words", said, words_of(said)))
        yield Item("words", "numbers", tuple(writings))


def is_spelt(given: Writing, asked: Writing) -> bool:
    """Digits for digits are the kind ``numbers``."""
    return "words" in (given.style, asked.style)


def measures(codes: list[str], sides: tuple[Side, Side], dice: Random) -> Iterator[Item]:
    """Whole numbers of a unit."""
    from babel.units import format_unit

    def text(side: Side, count: int, unit: str) -> str:
        # A long form that is the short one is not written again in the CLDR's data; Babel then puts the unit's code.
        lengths: tuple[Literal["long", "short"], ...] = ("long", "short")
        forms = [format_unit(count, unit, length, locale=side.locale, numbering_system="default") for length in lengths]
        return side.own(next((form for form in forms if unit not in form), ""))

    yield from quantities("measures", codes, text, sides, dice)


def amounts(codes: list[str], sides: tuple[Side, Side], dice: Random) -> Iterator[Item]:
    """Whole numbers of a currency that is legal tender somewhere, by its name."""
    from babel.core import get_global
    from babel.numbers import format_currency

    periods = itertools.chain.from_iterable(get_global("territory_currencies").values())
    current = {currency for currency, _, end, tender in periods if tender and end is None}

    def text(side: Side, count: int, currency: str) -> str:
        return side.own(
            format_currency(
                count,
                currency,
                locale=side.locale,
                format_type="name",
                currency_digits=False,
                numbering_system="default",
            )
        )

    yield from quantities("amounts", [code for code in codes if code in current], text, sides, dice)


def quantities(
    kind: str, codes: list[str], text: Callable[[Side, int, str], str], sides: tuple[Side, Side], dice: Random
) -> Iterator[Item]:
    """A number and what it counts; its parts are the number, and all the rest."""
    while codes:
        count, code = dice.randint(FEWEST, MOST), dice.choice(codes)
        writings = []
        for side in sides:
            number, whole_text = side.number(count), text(side, count, code)
            rest = whole_text.replace(number, "").strip()
            if rest:
                writings.append(writing(side.code, "quantity", whole_text, [number, rest]))
        if len(writings) == len(sides):
            yield Item(kind, kind, tuple(writings))
