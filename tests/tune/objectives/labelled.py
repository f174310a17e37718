"""Rows with labels, numbers, tags and spans, for the objectives that read them."""

from __future__ import annotations

from pathlib import Path

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.dataset import Dataset, Row
from tests.rows import WORDS, write_split

COLOURS = ("blue", "green", "red")


def row(number: int, prompt: str, reply: str, **fields: str) -> Row:
    """One exchange."""
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": reply}]
    return Row(Conversation.of(turns), f"made:{number}", fields)


def words(number: int) -> list[str]:
    """Some words, more for some numbers than for others."""
    return [WORDS[(number * 5 + place * 3) % len(WORDS)] for place in range(3 + number % 6)]


def one_label(number: int) -> Row:
    """The first word's place decides the colour."""
    return row(number, f"say {' '.join(words(number))}", COLOURS[WORDS.index(words(number)[0]) % 3])


def numbers(number: int) -> Row:
    """How many words there are, and a fraction."""
    return row(number, " ".join(words(number)), str(len(words(number)) * 10 + 0.5))


def tagged(number: int) -> Row:
    """``data`` is a thing, ``people watch`` an act."""
    tags = {"data": "B-THING", "model": "B-THING", "people": "B-ACT", "watch": "I-ACT"}
    found = words(number)
    said = [f"{tags[word][2:]}: {word}" for word in found if word in tags]
    prompt = f"Which things and acts?\n\n{' '.join(found)}"
    return row(number, prompt, "\n".join(said) or "none", tags=" ".join(tags.get(word, "O") for word in found))


def spans(number: int) -> Row:
    """The third word is asked for; every fifth text has none."""
    found = words(number)
    reply = "unanswerable" if number % 5 == 0 else found[2]
    start = str(len(" ".join(found[:2])) + 1) if number % 5 else ""
    return row(number, f"Which word is third?\n\n{' '.join(found)}", reply, start=start)


def dataset(make, folder: Path) -> Dataset:
    """Twenty-four training rows, eight validation rows and eight test rows."""
    rows = [make(number) for number in range(40)]
    folder.mkdir()
    result = Dataset(counts={"train": 24, "validation": 8, "test": 8}).save(folder)
    write_split(result, "train", rows[:24])
    write_split(result, "validation", rows[24:32])
    write_split(result, "test", rows[32:])
    return result
