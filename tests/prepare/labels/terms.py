"""A real set for labels: English terms of the Unicode CLDR, what they name, and rules of different quality."""

from __future__ import annotations

import re

from babel import Locale

LABELS = ["currency", "language", "script", "territory"]


def terms() -> list[tuple[str, str]]:
    """Terms and their kinds; a term of two kinds (Lao is a language and a script) is left out."""
    english = Locale("en")
    kinds = {
        "currency": english.currencies,
        "language": english.languages,
        "script": english.scripts,
        "territory": english.territories,
    }
    found: dict[str, set[str]] = {}
    for kind, names in kinds.items():
        for name in names.values():
            found.setdefault(name, set()).add(kind)
    return sorted((name, min(kinds)) for name, kinds in found.items() if len(kinds) == 1)


RULES: list[tuple[str, str, str]] = [
    (
        "money",
        r"\b(Dollar|Peso|Franc|Pound|Dinar|Rupee|Krona|Krone|Rial|Riyal|Shilling|Peseta|Real|Escudo)s?\b",
        "currency",
    ),
    ("years", r"\(\d{4}", "currency"),
    ("of_a_people", r"^[A-Z][a-z]+(an|ian|ese|ish|i) [A-Z]", "currency"),
    ("two_words", r"^\w+ \w+$", "currency"),
    ("people_suffix", r"(ese|ish|ian|ic)$", "language"),
    ("old_or_middle", r"^(Old|Middle|Ancient|Classical|Northern|Southern|Central|Western|Eastern)\b", "language"),
    ("creole", r"\b(Creole|English|French|Arabic|Sign|German|Chinese)\b", "language"),
    ("ends_in_vowel", r"^\w+[aiou]$", "language"),
    ("short", r"^\w{2,6}$", "language"),
    ("one_word", r"^\w+$", "language"),
    ("islands", r"\b(Islands?|Saint|St\.|Republic|Territory|Territories|Kingdom|States|Guinea)\b", "territory"),
    ("compass", r"\b(America|Africa|Asia|Europe|Australia|Oceania)\b", "territory"),
    ("land", r"(land|stan|ia)$", "territory"),
    ("joined", r" & ", "territory"),
    ("writing", r"(Script|Syllabics|Hieroglyphs|script|Alphabet|Symbols|glyphs|Runic|Braille|Letters)", "script"),
    ("dead_writing", r"\b(Linear|Inscriptional|Cuneiform|Tai|Han|Simplified|Traditional|Permic)\b", "script"),
]


def votes() -> list[list[int]]:
    """What each rule says of each term: the label's number or -1."""
    return [
        [LABELS.index(label) if re.search(pattern, name) else -1 for _, pattern, label in RULES] for name, _ in terms()
    ]
