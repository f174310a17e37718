"""What a row is known by: hashes of its normalised words, the same on every machine and in every order."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.folding import folded, normalised


def hashed(parts: Iterable[str], size: int = 8) -> int:
    """A hash of ``size`` bytes of some texts; their borders count."""
    return number(map(framed, parts), size)


def number(pieces: Iterable[bytes], size: int) -> int:
    """A hash of ``size`` bytes of some pieces one behind the other."""
    return int.from_bytes(blake2b(b"".join(pieces), digest_size=size).digest(), "little")


def framed(text: str) -> bytes:
    """A text's bytes with their number in front, so that borders count."""
    data = text.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(8, "little") + data


@lru_cache(256)
def often(text: str) -> bytes:
    """The same of a text that stands in many rows: a role."""
    return framed(text)


@lru_cache(256)
def weighed(weight: float) -> bytes:
    """The same of a weight."""
    return framed(str(weight))


def content_key(conversation: Conversation) -> int:
    """128 bits that two conversations share only if they say the same, white space aside."""
    pieces: list[bytes] = []
    for m in conversation.messages:
        pieces += (often(m.role), framed(normalised(m.content)), weighed(m.weight))
    return number(pieces, 16)


def opening(conversation: Conversation) -> tuple[Message, ...]:
    """What is asked before the assistant first speaks; without a question its first words belong to it.

    Two conversations with one opening must not be parted between training and test: the model would be asked in
    the test what it learnt to answer. A system prompt alone is no question, it may stand above every row.
    """
    messages = conversation.messages
    first = next((index for index, message in enumerate(messages) if message.role == "assistant"), len(messages))
    asked = any(message.role != "system" for message in messages[:first])
    return messages[: first if asked else first + 1]


def opening_key(conversation: Conversation) -> int:
    """64 bits that two conversations with the same opening share; case and white space do not count."""
    pieces: list[bytes] = []
    for m in opening(conversation):
        pieces += (often(m.role), framed(folded(m.content)))
    return number(pieces, 8)
