"""What must not come back by way of a made row: the text of rows that are not for training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.collect import STAGED_FILE
from sevenfold.prepare.dataset import Row, row_of
from sevenfold.prepare.keys import hashed
from sevenfold.prepare.overlap.grams import gram_key, grams
from sevenfold.prepare.overlap.words import words_of
from sevenfold.prepare.shelf import Shelf, batches

WORDS = 13
"""Words in a row that count as a leak (Brown et al. 2020, "Language Models are Few-Shot Learners", appendix C)."""


class HeldOut:
    """The words of validation and test rows, and of all others that were read but are not trained on.

    About 60 bytes a training row while it is built, and about 40 bytes a word of what is held out.

    Args:
        folder: The stage's folder, where all rows that came in still lie.
        shelf: The training rows.
    """

    def __init__(self, folder: Path, shelf: Shelf) -> None:
        self.keys: set[int] = set()
        if (folder / STAGED_FILE).is_file():
            for row in others(folder / STAGED_FILE, shelf):
                self.keys.update(pieces(row.conversation))

    def leaks(self, conversation: Conversation, parents: Iterable[Row]) -> bool:
        """Whether a made conversation has words of what is held out that its parents have not."""
        found = pieces(conversation) & self.keys
        return bool(found) and bool(found.difference(*(pieces(parent.conversation) for parent in parents)))


def others(staged: Path, shelf: Shelf) -> Iterator[Row]:
    """The rows that came in and are not on the shelf."""
    mine = {hashed([row.origin]) for row in shelf}
    for batch in batches(staged):
        for kept in batch.to_pylist():
            if hashed([kept["origin"]]) not in mine:
                yield row_of(kept)


def pieces(conversation: Conversation) -> set[int]:
    """Every 13 words in a row of each turn; of a user's shorter turn the whole. System turns do not count."""
    found: set[int] = set()
    for message in conversation.messages:
        words = words_of(message.content)
        if message.role != "system" and (len(words) >= WORDS or message.role == "user"):
            found.update(gram_key(gram) for gram in grams(words, WORDS))
    return found
