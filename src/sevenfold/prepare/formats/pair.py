"""Texts that belong together, for embeddings: an anchor, its own text, perhaps hard negatives in further columns."""

from __future__ import annotations

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.formats import Format, Values, as_text, column, no_column
from sevenfold.prepare.formats._exchange import exchange

ANCHORS = ("anchor", "query", "sentence1")
OWN = ("positive", "passage", "document", "sentence2")


class Pair(Format):
    """``anchor`` and ``positive``, or ``query`` and ``passage``, or their like.

    A column ``negative`` is kept with the row, where ``tune.objective: embed`` finds it.
    """

    order = 35

    def columns(self, values: Values) -> tuple[str, ...]:
        """The two columns."""
        pair = (column(values, *ANCHORS), column(values, *OWN))
        return tuple(filter(None, pair)) if all(pair) else ()

    def read(self, values: Values) -> Conversation:
        """The anchor asks, its own text answers."""
        anchor, own = column(values, *ANCHORS), column(values, *OWN)
        if anchor is None:
            raise no_column(values, "anchor")
        if own is None:
            raise no_column(values, "positive")
        return exchange(as_text(values[anchor], anchor), as_text(values[own], own))
