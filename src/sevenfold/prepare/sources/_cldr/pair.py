"""The two languages: their locales in the CLDR, and how they write numbers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sevenfold.errors import MachineError, RecipeError

if TYPE_CHECKING:
    from babel import Locale

ZEROS = {
    "adlm": "\N{ADLAM DIGIT ZERO}",
    "arab": "\N{ARABIC-INDIC DIGIT ZERO}",
    "arabext": "\N{EXTENDED ARABIC-INDIC DIGIT ZERO}",
    "beng": "\N{BENGALI DIGIT ZERO}",
    "cakm": "\N{CHAKMA DIGIT ZERO}",
    "deva": "\N{DEVANAGARI DIGIT ZERO}",
    "hmnp": "\N{NYIAKENG PUACHUE HMONG DIGIT ZERO}",
    "latn": "0",
    "mtei": "\N{MEETEI MAYEK DIGIT ZERO}",
    "mymr": "\N{MYANMAR DIGIT ZERO}",
    "nkoo": "\N{NKO DIGIT ZERO}",
    "olck": "\N{OL CHIKI DIGIT ZERO}",
    "tibt": "\N{TIBETAN DIGIT ZERO}",
}
"""The zero of each numbering system that is some locale's own; Babel writes all digits as Latin ones."""
MARKS = dict.fromkeys(map(ord, "\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}\N{ARABIC LETTER MARK}"))


@dataclass(frozen=True)
class Side:
    """One of the two languages.

    Args:
        code: As the recipe names it.
        locale: Its data.
    """

    code: str
    locale: Locale

    @property
    def numbering(self) -> str:
        """The numbering system of the locale: ``latn``, ``arabext``."""
        return self.locale.default_numbering_system

    def own(self, text: str) -> str:
        """A text with the locale's digits, without marks of direction: nobody sees them, and all is in one script."""
        zero = ord(ZEROS.get(self.numbering, "0"))
        return text.translate({**{ord("0") + digit: chr(zero + digit) for digit in range(10)}, **MARKS})

    def number(self, value: int | Decimal) -> str:
        """A number with the locale's digits, groups and decimal sign."""
        from babel.numbers import format_decimal

        return self.own(format_decimal(value, locale=self.locale, numbering_system="default"))

    def percent(self, value: Decimal) -> str:
        """``value`` per cent, with at most one decimal."""
        from babel.numbers import format_percent

        pattern = self.locale.percent_formats[None].pattern.replace("0", "0.#")
        text = format_percent(value / 100, pattern, locale=self.locale, numbering_system="default")
        # Babel takes the signs of groups and decimals from the numbering system, but not that of per cent.
        sign = self.locale.number_symbols.get(self.numbering, {}).get("percentSign", "%")
        return self.own(text.replace("%", sign))

    def called_in(self, language: str) -> str:
        """The language's name in another language."""
        return self.locale.get_display_name(language) or self.code


def sides_of(languages: Sequence[str]) -> tuple[Side, Side]:
    """The two languages of a recipe.

    Raises:
        MachineError: Babel is not installed.
        RecipeError: The CLDR has no such locale.
    """
    first, second = languages
    return side_of(first), side_of(second)


def side_of(code: str) -> Side:
    """A language by its code."""
    try:
        from babel import Locale, UnknownLocaleError
        from babel.localedata import locale_identifiers
    except ImportError:
        raise needs("Babel") from None
    try:
        return Side(code, Locale.parse(code.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        known = sorted(locale_identifiers())
        own = [name for name in known if name.split("_")[0] == code.replace("-", "_").split("_")[0]]
        raise RecipeError(
            f"the CLDR has no locale {code!r}",
            where="prepare.source.cldr.languages",
            value=code,
            alternatives=own or difflib.get_close_matches(code, known, 5),
            expected="two codes such as en, fa, de, pt_BR",
        ) from None


def needs(library: str) -> MachineError:
    """The error for a library that is not there."""
    return MachineError(f"the source cldr needs the library {library}", next_step="pip install 'sevenfold[prepare]'")
