"""Arabic script of Windows-1256 that was read as Western text: ``ÓáÇã`` is ``سلام``.

ftfy does not know this mistake, since the letters it leaves are those of Western languages. What tells it apart: whole
words of accented letters with none of the plain ones, and capitals inside of words. The letters that French needs stand
at the same places in Windows-1256, so that a French word is never among them.
"""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"
PLACES = {byte: bytes([byte]).decode("cp1256") for byte in range(0x80, 0x100)}
"""What each byte is in Windows-1256; it has no empty places."""


def western(byte: int) -> set[str]:
    """What a byte becomes when it is read as Latin-1 or as Windows-1252."""
    return {chr(byte), bytes([byte]).decode("cp1252", "ignore") or chr(byte)}


MEANT = {misread: meant for byte, meant in PLACES.items() for misread in western(byte)}
LETTERS = "".join(
    misread
    for misread, meant in MEANT.items()
    if meant in JOINERS or unicodedata.name(meant).startswith("ARABIC LETTER")
)
"""What letters of Arabic script look like when they were misread."""
RUN = re.compile(rf"(?<!\w)[{re.escape(LETTERS)}](?:[{re.escape(LETTERS)}\W\d_]*[{re.escape(LETTERS)}])?[¡º¿]?(?!\w)")
INNER_CAPITAL = re.compile("[ß-öø-ÿ]\x9d?[À-ÖØ-Þ]")
COMMON = frozenset("ايینردهموتبسلکكشگف")
"""The letters that are most of any Persian or Arabic text."""
FEWEST, MANY, SHARE = 4, 12, 0.6
"""Letters of a run at least, with a capital inside of a word and without one, and the share of them that is common,
for it to count as misread."""


def reread(text: str) -> str:
    """A text with its misread words as they were meant; the same text where there are none."""
    if text.isascii() or not any(misread(run[0]) for run in RUN.finditer(text)):
        return text
    # Where one run is certain, the short words between other words are misread too.
    return RUN.sub(lambda run: meant(run[0]) if plausible(run[0]) else run[0], text)


def meant(run: str) -> str:
    """A run as Windows-1256 has it."""
    return "".join(MEANT.get(character, character) for character in run)


def misread(run: str) -> bool:
    """Whether a run is certainly misread: enough letters, mostly common ones, with a capital inside of a word."""
    return letters(run) >= (FEWEST if INNER_CAPITAL.search(run) else MANY) and plausible(run)


def letters(run: str) -> int:
    """How many letters a run has."""
    return sum(character in LETTERS for character in run)


def plausible(run: str) -> bool:
    """Whether the letters that a run stands for are mostly common ones."""
    found = [character for character in meant(run) if unicodedata.category(character) == "Lo"]
    return sum(character in COMMON for character in found) >= SHARE * len(found)
