"""What a row is known by: hashes of its normalised words, the same on every machine and in every order."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable

from sevenfold.chat.conversation import Conversation, Message


def normalised(text: str) -> str:
    """Text for comparison: NFC, white space as single spaces."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())


def folded(text: str) -> str:
    """Text for the strictest comparison: NFKC, no case, white space as single spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def hashed(parts: Iterable[str], size: int = 8) -> int:
    """A hash of ``size`` bytes of some texts; their borders count."""
    pieces = []
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        pieces += [len(data).to_bytes(8, "little"), data]
    return int.from_bytes(hashlib.blake2b(b"".join(pieces), digest_size=size).digest(), "little")


def content_key(conversation: Conversation) -> int:
    """128 bits that two conversations share only if they say the same, white space aside."""
    messages = conversation.messages
    return hashed((part for m in messages for part in (m.role, normalised(m.content), str(m.weight))), size=16)


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
    return hashed(part for m in opening(conversation) for part in (m.role, folded(m.content)))
