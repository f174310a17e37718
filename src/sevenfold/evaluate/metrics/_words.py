"""Words of short answers, as SQuAD compares them."""

from __future__ import annotations

import re
import unicodedata

ARTICLES = frozenset({"a", "an", "the"})


def bare(text: str) -> list[str]:
    """Words in lower case without punctuation and without English articles.

    Source: Rajpurkar et al. 2016, "SQuAD", arXiv 1606.05250, section 6.1; punctuation of all scripts.
    """
    plain = "".join(
        " " if unicodedata.category(character).startswith("Z") else character
        for character in unicodedata.normalize("NFKC", text).casefold()
        if not unicodedata.category(character).startswith("P")
    )
    return [word for word in re.split(r"\s+", plain) if word and word not in ARTICLES]
