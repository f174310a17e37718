"""Evaluation sets on disk: the texts that training rows may not hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from sevenfold.errors import DataError
from sevenfold.prepare.files import File, find_files, opened_text, plain_suffix

SUFFIXES = (".jsonl", ".txt")


class Passage(NamedTuple):
    """A text and where it stands: ``file:line``."""

    text: str
    origin: str


def files_of(paths: list[str]) -> list[File]:
    """The files behind the paths of evaluation sets.

    Raises:
        DataError: A path leads to no file.
    """
    try:
        return [file for path in paths for file in find_files(path, SUFFIXES)]
    except DataError as error:
        error.next_step = "check prepare.decontaminate.against"
        raise


def passages(paths: list[str]) -> Iterator[Passage]:
    """Every text of the evaluation sets: all strings of a line of JSON, the paragraphs of a text file.

    Raises:
        DataError: A file cannot be read, or a line is not JSON.
    """
    for file in files_of(paths):
        with opened_text(file, "utf-8", lambda _: None) as lines:
            read = of_json if plain_suffix(file) == ".jsonl" else of_text
            yield from read(lines, file)


def of_json(lines: Iterator[str], file: File) -> Iterator[Passage]:
    """The strings of every line."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"the line is not JSON: {error}", where=f"{file}:{number}") from None
            yield from (Passage(text, f"{file}:{number}") for text in strings(value))


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value; keys do not count."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)


def of_text(lines: Iterator[str], file: File) -> Iterator[Passage]:
    """Paragraphs, which blank lines part."""
    waiting: list[str] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            waiting.append(line)
        elif waiting:
            yield Passage("".join(waiting), f"{file}:{number - len(waiting)}")
            waiting = []
    if waiting:
        yield Passage("".join(waiting), f"{file}:{number - len(waiting) + 1}")
