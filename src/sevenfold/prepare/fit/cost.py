"""What a language costs in tokens: fertility (tokens a word), bytes a token, and letters that fall to pieces."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sevenfold.chat.encoder import Encoder
from sevenfold.prepare.overlap.words import WORD

ENGLISH = "en"
REFERENCE = (
    "The library opens at nine in the morning and closes at six. Readers may borrow five books for three weeks, and "
    "they can ask for two weeks more unless somebody else is waiting. A lost book has to be paid for. On Fridays a "
    "small group meets in the reading room to talk about a novel, a play or a collection of poems; everyone who "
    "likes to listen is welcome. In summer the building stays open longer, because many students prepare for their "
    "examinations and need a quiet place with good light."
)
"""Plain English of our own, for rows that have too little English to compare with."""
ENOUGH = 200
"""Words of the rows' own English from which it is what other languages are compared with."""
BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
BROKEN = "\ufffd"


@dataclass
class Cost:
    """Words, characters, bytes and tokens of texts in one language.

    Args:
        pieces: Tokens that are a part of a letter: a byte, or bytes that are no whole character.
        unknown: Tokens that stand for what the tokenizer does not know.
    """

    words: int = 0
    characters: int = 0
    bytes: int = 0
    tokens: int = 0
    pieces: int = 0
    unknown: int = 0

    @property
    def fertility(self) -> float:
        """Tokens a word; of scripts without spaces, a character is a word."""
        return self.tokens / max(self.words, 1)

    def figures(self, english: Cost) -> dict[str, Any]:
        """The figures, beside English."""
        tokens = max(self.tokens, 1)
        return {
            "words": self.words,
            "tokens": self.tokens,
            "tokens_per_word": round(self.fertility, 4),
            "times_english": round(self.fertility / english.fertility, 4),
            "bytes_per_token": round(self.bytes / tokens, 4),
            "characters_per_token": round(self.characters / tokens, 4),
            "pieces_of_letters_share": round(self.pieces / tokens, 6),
            "unknown_share": round(self.unknown / tokens, 6),
        }


@dataclass
class Costs:
    """The costs of each language.

    Args:
        encoder: The tokenizer.
    """

    encoder: Encoder
    by: defaultdict[str, Cost] = field(default_factory=lambda: defaultdict(Cost))
    broken: dict[int, bool] = field(default_factory=dict)

    def add(self, language: str, text: str, ids: list[int]) -> None:
        """Count a text without its template."""
        self.count(self.by[language], text, ids)

    def count(self, cost: Cost, text: str, ids: list[int]) -> None:
        """Count a text."""
        unknown = self.encoder.tokenizer.unk_token_id
        cost.words += len(WORD.findall(text))
        cost.characters += len(text)
        cost.bytes += len(text.encode("utf-8", "surrogatepass"))
        cost.tokens += len(ids)
        cost.pieces += sum(map(self.is_piece, ids))
        cost.unknown += ids.count(unknown) if isinstance(unknown, int) else 0

    def is_piece(self, token: int) -> bool:
        """Whether a token is only a part of a letter."""
        if token not in self.broken:
            name: Any = self.encoder.tokenizer.convert_ids_to_tokens(token)
            self.broken[token] = bool(BYTE.fullmatch(str(name))) or BROKEN in self.encoder.decode([token])
        return self.broken[token]

    def english(self) -> tuple[Cost, str]:
        """What others are compared with, and where it is from."""
        own = self.by.get(ENGLISH)
        if own and own.words >= ENOUGH:
            return own, "the rows' own English"
        reference = Cost()
        self.count(reference, REFERENCE, self.encoder.encode(REFERENCE))
        return reference, "a plain English text of ours"
