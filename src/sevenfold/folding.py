"""Texts in the forms in which they are compared."""

from __future__ import annotations

import unicodedata


def normalised(text: str) -> str:
    """Text for comparison: NFC, white space as single spaces."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def folded(text: str) -> str:
    """Text for the strictest comparison: NFKC, no case, white space as single spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
