"""Rows for the measurements of `prepare`: sentences of installed packages, recombined, with planted duplicates."""

from __future__ import annotations

import json
import random
from pathlib import Path

SHARES = {"exact": 0.1, "near": 0.1}
"""Planted: rows that are an earlier one, and rows that are an earlier one with one word changed."""


def sentences() -> tuple[list[str], list[str]]:
    """English ones from the standard library's docstrings, Persian ones from the CLDR's names."""
    from babel import Locale

    from sevenfold.prepare.sources import SOURCES, Reading

    reading = Reading(lambda _: None, lambda _: None, lambda _: None)
    texts = {str(value) for raw in SOURCES.find("python")(path="stdlib").rows(reading) for value in raw.values.values()}
    english = sorted({" ".join(part.split()) for text in texts for part in text.split(".") if 30 < len(part) < 200})
    persian, latin = Locale("fa"), Locale("en")
    pairs = [(persian.territories, latin.territories), (persian.languages, latin.languages)]
    names = [(fa[code], en[code]) for fa, en in pairs for code in sorted({*fa} & {*en})]
    return english, [f"نام {en} به فارسی «{fa}» است و می‌توان آن را چنین نوشت" for fa, en in names]


def write(path: Path, count: int, seed: int = 1) -> int:
    """Write rows as JSON Lines, about 150 characters each, half English and half Persian; gives the file's bytes."""
    chance = random.Random(seed)
    english, persian = sentences()
    recent: list[tuple[str, str]] = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            drawn = chance.random()
            if recent and drawn < SHARES["exact"]:
                asked, said = recent[chance.randrange(len(recent))]
            elif recent and drawn < sum(SHARES.values()):
                asked, said = recent[chance.randrange(len(recent))]
                words = said.split(" ")
                words[chance.randrange(len(words))] = str(number)
                said = " ".join(words)
            else:
                pool = english if number % 2 else persian
                asked = f"{chance.choice(pool)} {number}?"
                said = f" {chance.choice(pool)}. {chance.choice(english)} {chance.getrandbits(40)}.\u200b "
                # Few are remembered, so that the rows' number costs no memory here.
                if len(recent) < 50_000:
                    recent.append((asked, said))
                else:
                    recent[chance.randrange(len(recent))] = asked, said
            file.write(json.dumps({"prompt": asked, "completion": said}, ensure_ascii=False) + "\n")
    return path.stat().st_size
