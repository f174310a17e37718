"""Ids to text while they come: no half characters, nothing of a stop text."""

from __future__ import annotations

from collections.abc import Iterable

from sevenfold.chat.encoder import Encoder

INCOMPLETE = "\N{REPLACEMENT CHARACTER}"


class Pieces:
    """Turns one answer's ids into text pieces whose join is the answer's text.

    Text is held back while its last character may be incomplete (its bytes are spread over several tokens) and while
    it may be the beginning of a stop text. A character that the end of the answer cuts is left out.

    Args:
        encoder: Decodes the ids.
        stop: Texts that end the answer.
    """

    def __init__(self, encoder: Encoder, stop: Iterable[str] = ()) -> None:
        self.encoder, self.stop = encoder, tuple(stop)
        self.ids: list[int] = []
        self.context = 0  # first id that is decoded again: some decoders look at the token before
        self.decoded = 0  # ids before this one have become text
        self.held = ""
        self.parts: list[str] = []
        self.ended = False

    @property
    def text(self) -> str:
        """What has been given out so far."""
        return "".join(self.parts)

    def add(self, token: int) -> str:
        """The text that is certain now that ``token`` is there, perhaps nothing."""
        if token in self.encoder.stop_ids:
            piece = self.finish()
            self.ids.append(token)
            self.ended = True
            return piece
        self.ids.append(token)
        return self.give(self.held + self.complete(final=False))

    def finish(self) -> str:
        """What was held back, when no token follows."""
        text = self.held + self.complete(final=True)
        cut = self.first_stop(text)
        return self.out(text if cut is None else text[:cut])

    def complete(self, final: bool) -> str:
        """The text of the ids that were not decoded yet; before the end, nothing while it ends inside a character."""
        before = self.encoder.decode(self.ids[self.context : self.decoded], skip_special=True)
        after = self.encoder.decode(self.ids[self.context :], skip_special=True)
        if not final and after.endswith(INCOMPLETE):
            return ""
        self.context, self.decoded = self.decoded, len(self.ids)
        return after[len(before) :].rstrip(INCOMPLETE)

    def give(self, text: str) -> str:
        """``text`` without what a stop text may still claim."""
        cut = self.first_stop(text)
        if cut is not None:
            self.ended = True
            return self.out(text[:cut])
        keep = max((overlap(text, stop) for stop in self.stop), default=0)
        certain = len(text) - keep
        piece = self.out(text[:certain])
        self.held = text[certain:]
        return piece

    def first_stop(self, text: str) -> int | None:
        """Where the first stop text begins."""
        found = [place for stop in self.stop if (place := text.find(stop)) >= 0]
        return min(found) if found else None

    def out(self, text: str) -> str:
        """Give a piece out; nothing is held any more."""
        self.held = ""
        if text:
            self.parts.append(text)
        return text


def overlap(text: str, stop: str) -> int:
    """The length of the longest end of ``text`` that is a beginning of ``stop``."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if stop.startswith(text[-size:])), 0)


def text_of(encoder: Encoder, ids: Iterable[int], stop: Iterable[str] = ()) -> Pieces:
    """All pieces of ids that are there already, up to the first stop token or stop text."""
    pieces = Pieces(encoder, stop)
    for token in ids:
        pieces.add(token)
        if pieces.ended:
            return pieces
    pieces.finish()
    return pieces
