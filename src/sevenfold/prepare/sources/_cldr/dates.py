"""Dates of the Gregorian calendar, in the forms that each locale has for them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from random import Random

from sevenfold.prepare.sources._cldr.items import Item, Writing, words_of, writing
from sevenfold.prepare.sources._cldr.pair import Side

FIRST, LAST = datetime.date(1980, 1, 1), datetime.date(2030, 12, 31)
STYLES = ("full", "long", "medium")
"""The CLDR's forms: with the weekday; with the month's name; with its short name where the locale has one."""


def dates(sides: tuple[Side, Side], dice: Random) -> Iterator[Item]:
    """Days drawn from fifty-one years."""
    while True:
        yield date(FIRST + datetime.timedelta(dice.randrange((LAST - FIRST).days + 1)), sides)


def date(day: datetime.date, sides: tuple[Side, Side]) -> Item:
    """One day in every form."""
    from babel.dates import format_date

    writings = [writing(None, "iso", day.isoformat(), words_of(day.isoformat()))]
    for side in sides:
        for style in STYLES:
            text = side.own(format_date(day, style, locale=side.locale))
            writings.append(writing(side.code, style, text, words_of(text)))
    return Item("dates", "dates", tuple(writings))


def is_asked(given: Writing, asked: Writing) -> bool:
    """The weekday is asked only where it is given; it cannot be read off the rest without counting days."""
    return asked.style != "full" or given.style == "full"
