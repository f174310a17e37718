"""Fill in the middle: learn to write what stands between a prefix and a suffix, as editors ask of code models."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from pydantic import Field

from sevenfold.chat.asked import Asked
from sevenfold.errors import ModelError
from sevenfold.tune.objectives.pretrain import Pretrain, start_ids, text_of, unlearnt

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.prepare.dataset import Row

KNOWN = (
    ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ("<fim_prefix>", "<fim_suffix>", "<fim_middle>"),
    ("<fim-prefix>", "<fim-suffix>", "<fim-middle>"),
    ("▁<PRE>", "▁<SUF>", "▁<MID>"),
    ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
)
"""The marks before prefix, suffix and middle, by family of models."""
ROOM = 8
"""Tokens that a text may take more where it is tokenised in three pieces."""


class Fim(Pretrain):
    """As ``pretrain``, and of a share of the windows the middle is moved to the end.

    A window's text is cut at two random characters (Bavarian et al. 2022, arXiv 2207.14255, context-level), and read as
    ``PRE prefix SUF suffix MID middle end`` (PSM) or ``PRE SUF suffix MID prefix middle end`` (SPM). All tokens are
    learnt. Which windows, and where they are cut, hangs on their text alone. A window whose tokens are not those of its
    own text (a character cut in two) stays as it is.
    """

    rate: float = Field(0.5, ge=0, le=1, description="The share of windows whose middle is moved to the end.")
    spm: float = Field(0.5, ge=0, le=1, description="The share of these that read the suffix before the prefix.")
    marks: tuple[str, str, str] | None = Field(
        None,
        description="What stands before prefix, suffix and middle; not given: the tokenizer's own tokens for it. Text "
        "that is no single token is written out.",
    )
    overlap: int = Field(1, ge=0, description="As of pretrain; of a moved window all tokens are learnt.")

    @property
    def measures(self) -> tuple[str, ...]:
        """The missing line: its likelihood, and whether it is written as it was."""
        return ("loss", "exact_match", "chrf")

    def parts(self, sequence: TokenSequence, limit: int, encoder: Encoder) -> list[TokenSequence]:
        """Windows, some of which are moved."""
        marks = self.mark_ids(encoder)
        # A moved window has three marks and an end more, and its pieces may take more tokens than the whole.
        room = limit - sum(map(len, marks)) - ROOM
        windows = super().parts(sequence, room, encoder)
        return [self.moved(one.behind(len(encoder.lead)), marks, limit, encoder) for one in windows]

    def moved(self, body: TokenSequence, marks: list[list[int]], limit: int, encoder: Encoder) -> TokenSequence:
        """A window as it is read: moved, or as it is.

        Args:
            body: The window without virtual tokens.
            marks: The ids before prefix, suffix and middle.
            limit: ``tune.max_length``.
            encoder: Reads the text.
        """
        draw = random.Random(repr(body.ids))
        content = inner(body.ids, start_ids(encoder), self.end_ids(encoder))
        text = encoder.decode(content)
        if draw.random() >= self.rate or encoder.encode(text) != content:
            return body.led(encoder.lead)
        cuts = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        pieces = text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] :]
        ids = self.arranged(pieces, marks, encoder, suffix_first=draw.random() < self.spm)
        found = type(body)(ids, unlearnt(len(ids), 1), body.task).led(encoder.lead)
        return found if len(found) <= limit else body.led(encoder.lead)

    def arranged(
        self, pieces: tuple[str, str, str], marks: list[list[int]], encoder: Encoder, suffix_first: bool
    ) -> list[int]:
        """The ids of prefix, middle and suffix, the middle last and an end behind it."""
        before, middle, after = map(encoder.encode, pieces)
        start, hole, last = marks
        end = self.end_ids(encoder) or [encoder.end_id]
        if suffix_first:
            return [*start, *hole, *after, *last, *before, *middle, *end]
        return [*start, *before, *hole, *after, *last, *middle, *end]

    def mark_ids(self, encoder: Encoder) -> list[list[int]]:
        """The ids before prefix, suffix and middle.

        Raises:
            ModelError: The tokenizer has no tokens for it, and the recipe names none.
        """
        known = encoder.tokenizer.get_vocab()
        names = self.marks or next((marks for marks in KNOWN if all(name in known for name in marks)), None)
        if names is None:
            spare = sorted(token.content for token in encoder.tokenizer.added_tokens_decoder.values())
            raise ModelError(
                "the tokenizer has no tokens for filling in the middle",
                where=str(encoder.tokenizer.name_or_path),
                expected=f"for example {', '.join(KNOWN[0])}",
                alternatives=spare,
                next_step="name three of these that your texts do not use, or plain text: "
                "tune.objective: {fim: {marks: ['<PRE>', '<SUF>', '<MID>']}}",
            )
        return [[known[name]] if name in known else encoder.encode(name) for name in names]

    def asked(self, row: Row, encoder: Encoder, context: int) -> Asked:
        """One line of the text, drawn by the text, is missing; it alone is scored."""
        from sevenfold.chat.encoder import TokenSequence

        lines = text_of(row).splitlines(keepends=True)
        filled = [number for number, line in enumerate(lines) if line.strip()] or [0]
        missing = random.Random(text_of(row)).choice(filled)
        pieces = ("".join(lines[:missing]), "".join(lines[missing : missing + 1]), "".join(lines[missing + 1 :]))
        marks = self.mark_ids(encoder)
        answer = encoder.encode(pieces[1])
        end = self.end_ids(encoder) or [encoder.end_id]
        prompt = self.arranged((pieces[0], "", pieces[2]), marks, encoder, suffix_first=False)[: -len(end)]
        ids = [*prompt, *answer, *end]
        sequence = TokenSequence(ids, unlearnt(len(ids), len(prompt)))
        return Asked(f"{pieces[0]}<...>\n{pieces[2]}", pieces[1], prompt, sequence)


def inner(ids: list[int], start: list[int], end: list[int]) -> list[int]:
    """The ids of a text without those that begin and end its document."""
    first = len(start) if start and ids[: len(start)] == start else 0
    last = len(ids) - (len(end) if end and ids[-len(end) :] == end else 0)
    return ids[first:last]
