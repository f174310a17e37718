"""What is asked: one item of a safety set."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sevenfold.chat.conversation import Message
from sevenfold.errors import DataError
from sevenfold.record import digest

OWN = "own"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a model is asked.

    Args:
        prompt: What the user says.
        language: ``en``, ``fa``, or another code.
        system: What stands before it as the system's message; empty: nothing.
        other: The same question in its changed form, where a method compares two.
        options: Replies whose likelihoods are compared.
        right: The wanted one of the options, from 0.
        secret: What must not be said.
        category: A few words: ``gender``, ``typos``.
        source: The set that it is of; ``own`` for those that come along.
    """

    prompt: str
    language: str = "en"
    system: str = ""
    other: str = ""
    options: tuple[str, ...] = ()
    right: int = 0
    secret: str = ""
    category: str = ""
    source: str = OWN

    @property
    def group(self) -> str:
        """Items are also compared by language, those of a public set by the set."""
        return self.language if self.source == OWN else self.source

    def key(self) -> str:
        """The same for the same content, so that kept results are never those of an edited item."""
        return digest(asdict(self))[:16]

    def messages(self, said: str | None = None) -> tuple[Message, ...]:
        """The conversation, with the prompt or with something else in its place."""
        before = (Message("system", self.system),) if self.system else ()
        return (*before, Message("user", self.prompt if said is None else said))

    def line(self) -> dict[str, Any]:
        """The item as its line in ``checks/NAME.jsonl`` begins."""
        kept = {name: value for name, value in asdict(self).items() if value not in ("", ())}
        return {"group": self.group, **kept}


def read_items(path: Path) -> list[Item]:
    """The items of a file with one JSON object a line.

    Raises:
        DataError: The file is missing, or a line is no item.
    """
    found = []
    for number, line in enumerate(lines_of(path), 1):
        try:
            fields = json.loads(line)
            item = Item(**{**fields, "options": tuple(fields.get("options", ()))})
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError(
                f"this line is no item: {error}",
                where=f"{path}:{number}",
                expected=f"a JSON object with prompt and some of {', '.join(Item.__dataclass_fields__)}",
            ) from error
        if item.options and not 0 <= item.right < len(item.options):
            raise DataError(f"right is {item.right}, there are {len(item.options)} options", where=f"{path}:{number}")
        found.append(item)
    return found


def lines_of(path: Path) -> list[str]:
    """The lines of a file that hold something.

    Raises:
        DataError: It cannot be read.
    """
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the items cannot be read: {error}", where=str(path), expected="UTF-8, a line each") from error


def drawn(items: Sequence[Item], count: int, seed: int) -> list[Item]:
    """Some of the items in their order; as many of each group as there are, as far as they go."""
    if count >= len(items):
        return list(items)
    chance = random.Random(seed)
    groups: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault(item.group, []).append(place)
    for places in groups.values():
        chance.shuffle(places)
    taken: list[int] = []
    while len(taken) < count:
        for places in groups.values():
            if places and len(taken) < count:
                taken.append(places.pop())
    return [items[place] for place in sorted(taken)]
