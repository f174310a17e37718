"""Lemmas of a text's words, in a column of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sevenfold.errors import MachineError, RecipeError
from sevenfold.prepare.clean._words import MANY, Languaged, plain, words


class Lemmas(Languaged):
    """The form under which a dictionary has each word, by the lists of simplemma (`sevenfold[prepare]`).

    `mice` is `mouse`, `خانه‌ها` is `خانه`. A word that no list has stays; its
    context is not looked at.
    """

    def finder(self) -> Callable[[str], list[str]]:
        """The lemma of each word."""
        lemma = lru_cache(maxsize=MANY)(lemmatiser(self.language))
        return lambda text: [lemma(plain(word), self.code(text)) for word in words(text)]


def lemmatiser(language: str) -> Callable[[str, str], str]:
    """The function that gives a word's lemma in a language.

    Raises:
        RecipeError: simplemma has no list of the language.
        MachineError: simplemma is not installed.
    """
    try:
        import simplemma
    except ImportError:
        raise MachineError("simplemma is not installed", next_step="pip install 'sevenfold[prepare]'") from None

    def lemma(word: str, code: str) -> str:
        return str(simplemma.lemmatize(word, lang=code))

    try:
        lemma("a", "en" if language == "auto" else language)
    except ValueError:
        raise RecipeError(
            f"lemmas: no list of words for {language!r}",
            value=language,
            expected="an ISO 639-1 code such as en, fa, de, fr, es, ru, tr",
        ) from None
    return lemma
