"""Which keys lie beside which: what a slipping finger hits."""

from __future__ import annotations

from functools import cache

KEYBOARDS = (
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("ضصثقفغعهخحجچ", "شسیبلاتنمکگ", "ظطزرذدپو"),
)
"""The letter rows of QWERTY and of the Persian standard ISIRI 9147, from the top, each from its leftmost key."""
STAGGER = (0.0, 0.25, 0.75)
"""How far each row begins to the right of the top one, in keys."""
REACH = 1.3
"""The largest distance of two neighbouring keys' middles, in keys."""


@cache
def neighbours() -> dict[str, list[str]]:
    """The keys around each letter's key."""
    found: dict[str, list[str]] = {}
    for rows in KEYBOARDS:
        places = {
            letter: (STAGGER[row] + column, row)
            for row, letters in enumerate(rows)
            for column, letter in enumerate(letters)
        }
        for letter, (x, y) in places.items():
            found[letter] = [
                other
                for other, (across, down) in places.items()
                if other != letter and (across - x) ** 2 + (down - y) ** 2 <= REACH**2
            ]
    return found
