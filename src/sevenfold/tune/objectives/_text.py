"""Where the text that is asked about lies in a prompt's tokens.

It is what stands behind the first blank line of the last user turn; without a blank line the whole turn. The same ids
are read back in training, in evaluation and in the service, so a place means the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from sevenfold.chat.conversation import Message
from sevenfold.errors import ModelError

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder

BLANK = "\n\n"
ASKED, SAID, AGAIN = "\ue000\ue001", "\ue002\ue003", "\ue004\ue005"
"""Texts of private use, found again in what the template makes of them."""


@dataclass(frozen=True)
class Text:
    """The text that a prompt asks about.

    Args:
        text: The characters.
        spans: For each token of the prompt where it begins and ends in the text; None outside of it.
    """

    text: str
    spans: list[tuple[int, int] | None]

    def words(self) -> list[tuple[int, int]]:
        """Where the words begin and end: what white space parts."""
        return [found.span() for found in re.finditer(r"\S+", self.text)]

    def tokens(self, start: int, end: int) -> list[int]:
        """The tokens that share a character with a place."""
        return [number for number, span in self.inside() if span[0] < end and span[1] > start]

    def inside(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """The tokens with a character of the text, and their places."""
        return ((number, span) for number, span in enumerate(self.spans) if span is not None and span[0] < span[1])


def text_of(encoder: Encoder, ids: Sequence[int]) -> Text:
    """The text that a prompt asks about, with its tokens.

    Raises:
        ModelError: The tokenizer does not give the same ids for the text that they stand for.
    """
    lead = len(encoder.lead)
    rendered = encoder.decode(ids[lead:])
    if not encoder.tokenizer.is_fast:
        raise ModelError("this tokenizer does not say which characters a token is of", expected="a fast tokenizer")
    read = encoder.tokenizer(rendered, add_special_tokens=False, return_offsets_mapping=True)
    if list(read["input_ids"]) != list(ids[lead:]):
        raise ModelError(
            "the tokenizer does not give the same ids for the text that they stand for, so words have no place",
            where=f"...{rendered[-60:]!r}",
            next_step="use a model whose tokenizer keeps all characters, such as a byte-level one",
        )
    header, footer = frame(encoder)
    end = rendered.rfind(footer) if footer else len(rendered)
    start = rendered.rfind(header, 0, end) + len(header)
    turn = rendered[start:end]
    if BLANK in turn:
        start += turn.index(BLANK) + len(BLANK)
    places = [None] * lead + [clipped(span, start, end) for span in read["offset_mapping"]]
    return Text(rendered[start:end], places)


def clipped(span: tuple[int, int], start: int, end: int) -> tuple[int, int] | None:
    """A token's place in the text; None where it has no character of it."""
    low, high = max(span[0], start), min(span[1], end)
    return (low - start, high - start) if low < high else None


@lru_cache(16)
def frame(encoder: Encoder) -> tuple[str, str]:
    """What the template writes before every user turn, and behind the last one."""
    turns = [Message("user", ASKED), Message("assistant", SAID), Message("user", AGAIN)]
    rendered = encoder.render(turns, reply_follows=True)
    first, _, rest = rendered.partition(ASKED)
    between, _, footer = rest.partition(AGAIN)
    return common_end(first, between.partition(SAID)[2]), footer


def common_end(one: str, other: str) -> str:
    """The longest text that both end with."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    length = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return one[len(one) - length :]
