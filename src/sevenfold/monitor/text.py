"""What is counted in a prompt: its words and its character trigrams, in every script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np

BUCKETS = 4096
"""Columns of a table of counts; two words share one with a chance of 1 in 4096."""

JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: part of a word in Persian, Hindi and others (می‌روم is one word)."""


@cache
def word_pattern() -> re.Pattern[str]:
    """Letters, digits, combining marks and joiners; without the marks a word would break at every vowel sign."""
    marks = "".join(char for char in map(chr, range(0x10000)) if unicodedata.category(char) in ("Mn", "Mc"))
    return re.compile(rf"[\w{marks}{JOINERS}]+")


def words(text: str) -> list[str]:
    """The words of a text, in NFC and without case."""
    return word_pattern().findall(unicodedata.normalize("NFC", text).casefold())


def word_counts(texts: Sequence[str]) -> np.ndarray:
    """How often the words of each text fall in each bucket.

    Args:
        texts: The texts.

    Returns:
        Counts, (texts, BUCKETS), float32.
    """
    import numpy as np

    counts = np.zeros((len(texts), BUCKETS), np.float32)
    for row, text in enumerate(texts):
        buckets = [crc32(word.encode()) % BUCKETS for word in words(text)]
        np.add.at(counts[row], buckets, 1)
    return counts


def trigram_counts(texts: Sequence[str]) -> np.ndarray:
    """How often the character trigrams of each text fall in each bucket.

    Args:
        texts: The texts.

    Returns:
        Counts, (texts, BUCKETS), float32.
    """
    import numpy as np

    counts = np.zeros((len(texts), BUCKETS), np.float32)
    for row, text in enumerate(texts):
        # Two blanks around, so that the shortest text has a trigram and edges of the text count.
        padded = f"  {unicodedata.normalize('NFC', text).casefold()}  "
        codes = np.frombuffer(padded.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        mixed = codes[:-2] * 0x9E3779B1 + codes[1:-1] * 0x85EBCA6B + codes[2:] * 0xC2B2AE35
        counts[row] = np.bincount((mixed ^ (mixed >> np.uint64(15))) % BUCKETS, minlength=BUCKETS)
    return counts


def asked(messages: Sequence[Any]) -> str:
    """What was asked in a request: the last turn of the user.

    A conversation of several turns comes to the service once a turn, so its last turn is the one that is new. Without
    a user's turn it is everything that was sent.

    Args:
        messages: Turns with ``role`` and ``content``, as dictionaries.
    """
    for message in reversed(messages):
        if message["role"] == "user":
            return str(message["content"])
    return "\n".join(str(message["content"]) for message in messages)
