"""Distinct texts, and texts that are nearly those; the same in every run."""

from __future__ import annotations

import random

ENGLISH = [
    first + last
    for first in ["ba", "ke", "li", "mo", "nu", "ra", "shi", "to"]
    for last in [
        "den",
        "fal",
        "gor",
        "hin",
        "jum",
        "kas",
        "lep",
        "min",
        "nor",
        "pil",
        "ques",
        "rot",
        "sut",
        "tav",
        "vik",
    ]
]
PERSIAN = [
    first + last
    for first in ["می\u200cخوا", "کتا", "نوی", "گرف", "خانه\u200c", "یاد", "سپی", "دریا"]
    for last in ["هم", "بی", "سم", "تن", "ها", "گار", "ده", "یی", "شان", "مند", "زار", "وار"]
]


def text(number: int, words: int, vocabulary: list[str] = ENGLISH) -> str:
    """A text of its own for each number."""
    chance = random.Random(f"{number} {words}")
    return " ".join(chance.choice(vocabulary) for _ in range(words))


def edited(original: str, changes: int) -> str:
    """The text with some of its words replaced by ones that stand nowhere else."""
    words = original.split()
    for change in range(changes):
        words[(change + 1) * len(words) // (changes + 1)] = f"x{change}"
    return " ".join(words)
