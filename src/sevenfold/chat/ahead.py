"""Many conversations to tokens at once: on all cores, and with the ids that the plain encoder gives.

The texts of many conversations are tokenised in one call of the Rust tokenizer, which shares them out over all cores
and leaves Python free to render the next ones. Texts are taken apart in front of their special tokens first: what many
texts share, a system prompt, the markers of a turn, the earlier turns of a long conversation, is tokenised once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.chat.encoder import Encoder
from sevenfold.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHUNK = 500_000
"""Characters that are tokenised together; the tokenizer needs some 50 bytes for each while it works."""
ROW = 100
"""What a conversation counts beside its characters, so that many tiny ones are not too many either."""


class Holder(Protocol):
    """A row: anything with a conversation."""

    @property
    def conversation(self) -> Conversation:
        """What was said."""


R = TypeVar("R", bound=Holder)
Rendered = dict[tuple[tuple[Message, ...], bool], str]
"""The template's texts by messages and whether a reply follows."""
Ids = dict[str, list[int]]
"""Ids by text."""


@dataclass
class Chunk:
    """Rows on their way: their texts, and the ids of these texts' pieces once they are there."""

    rows: Sequence[Any]
    rendered: Rendered
    ids: Future[Ids]


class ReadAhead(Encoder):
    """An encoder that knows which rows come next.

    Equals :class:`Encoder` in every answer; what was not foreseen is rendered and tokenised when it is asked for.

    Args:
        encoder: The plain encoder.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder.tokenizer, encoder.stop_ids, encoder.lead)
        self.border = border(encoder.tokenizer)
        self.rendered: Rendered = {}
        self.ids: Ids = {}

    def over(self, rows: Iterable[R]) -> Iterator[R]:
        """The rows, unchanged and in order; while one is in hand, its texts are known.

        A chunk is tokenised while the one before it is used and the one behind it is rendered, so that three are in
        memory, whatever the number of rows.
        """
        with ThreadPoolExecutor(1, "tokenizer") as worker:
            before = None
            for group in chunks(rows):
                self.rendered = {}
                pieces = {piece for text in self.texts(group) for piece in self.pieces(text)}
                chunk = Chunk(group, self.rendered, worker.submit(self.tokenised, list(pieces)))
                if before:
                    yield from self.known(before)
                before = chunk
            if before:
                yield from self.known(before)

    def known(self, chunk: Chunk) -> Iterator[Any]:
        """The rows of a chunk, with its texts in memory."""
        self.rendered, self.ids = chunk.rendered, chunk.ids.result()
        yield from chunk.rows

    def texts(self, rows: Iterable[Holder]) -> Iterator[str]:
        """The texts that the replies of some conversations will be encoded from."""
        for row in rows:
            messages = row.conversation.messages
            for index in row.conversation.replies:
                try:
                    yield self.render(messages[:index], reply_follows=True)
                    yield self.reply_text(messages, index)
                except ModelError:
                    # Told with its place when the row itself is encoded.
                    break

    def render(self, messages: Sequence[Message], reply_follows: bool) -> str:
        """As :meth:`Encoder.render`; a chunk's texts are rendered once."""
        asked = tuple(messages), reply_follows
        if asked not in self.rendered:
            self.rendered[asked] = super().render(messages, reply_follows)
        return self.rendered[asked]

    def encode(self, text: str) -> list[int]:
        """As :meth:`Encoder.encode`, from the ids of the text's pieces."""
        found: list[int] = []
        for piece in self.pieces(text):
            known = self.ids.get(piece)
            found += super().encode(piece) if known is None else known
        return found

    def pieces(self, text: str) -> list[str]:
        """The text in pieces whose ids, one behind the other, are the text's."""
        if self.border is None:
            return [text]
        starts = [found.start() for found in self.border.finditer(text)]
        if not starts or starts[0]:
            starts.insert(0, 0)
        return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]

    def tokenised(self, pieces: list[str]) -> Ids:
        """The ids of many texts, by text."""
        if not self.tokenizer.is_fast:
            return {piece: super(ReadAhead, self).encode(piece) for piece in pieces}
        rust: Any = self.tokenizer.backend_tokenizer
        # As a call of the tokenizer sets them, which other code may have done otherwise since.
        rust.no_truncation()
        rust.no_padding()
        rust.encode_special_tokens = self.tokenizer.split_special_tokens
        encodings = rust.encode_batch_fast(pieces, add_special_tokens=False)
        return {piece: encoding.ids for piece, encoding in zip(pieces, encodings, strict=True)}


def border(tokenizer: PreTrainedTokenizerBase) -> re.Pattern[str] | None:
    """Finds the tokens in front of which a text can be cut without a change of its ids; None where nothing is sure.

    The Rust tokenizer looks for added tokens in the raw text, leftmost and longest first, and treats what stands
    between them piece by piece. A cut in front of such a token changes nothing, unless a token takes white space before
    it, must stand alone as a word, or takes white space behind it with which another one begins.
    """
    if not tokenizer.is_fast or tokenizer.split_special_tokens:
        return None
    raw = [token for token in tokenizer.added_tokens_decoder.values() if not token.normalized]
    spaced = any(token.rstrip for token in raw) and any(token.content[:1].isspace() for token in raw)
    if not raw or spaced or any(token.lstrip or token.single_word for token in raw):
        return None
    longest_first = sorted((token.content for token in raw), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def chunks(rows: Iterable[R]) -> Iterator[list[R]]:
    """Rows in groups of about :data:`CHUNK` characters."""
    group: list[R] = []
    size = 0
    for row in rows:
        group.append(row)
        size += ROW + sum(len(message.content) for message in row.conversation.messages)
        if size >= CHUNK:
            yield group
            group, size = [], 0
    if group:
        yield group
