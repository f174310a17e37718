"""Stems of a text's words, in a column of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sevenfold.errors import MachineError, RecipeError
from sevenfold.prepare.clean._words import MANY, Languaged, plain, words

NAMES = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish", "fa": "persian",
    "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
"""Languages by code, and what Snowball calls them."""


class Stems(Languaged):
    """Stems by Snowball's rules (`sevenfold[prepare]`): what words share that differ in their endings.

    `کتاب‌ها` and `کتابهای` are `کتاب`, `connected` and `connecting` are `connect`. A stem need not be a word.
    """

    def finder(self) -> Callable[[str], list[str]]:
        """The stem of each word."""
        known = ("auto", *NAMES)
        if self.language not in known:
            raise RecipeError(f"stems: no rules for {self.language!r}", value=self.language, alternatives=known)
        stem = lru_cache(maxsize=MANY)(stemmer())
        return lambda text: [stem(plain(word), self.code(text)) for word in words(text)]


def stemmer() -> Callable[[str, str], str]:
    """The function that stems a word of a language.

    Raises:
        MachineError: snowballstemmer is not installed.
    """
    try:
        import snowballstemmer
    except ImportError:
        raise MachineError("snowballstemmer is not installed", next_step="pip install 'sevenfold[prepare]'") from None
    made = lru_cache(maxsize=None)(lambda code: snowballstemmer.stemmer(NAMES[code]))
    return lambda word, code: str(made(code).stemWord(word))
