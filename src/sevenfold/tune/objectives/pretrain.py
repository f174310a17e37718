"""Continued pre-training: learn plain text, every token of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.chat.asked import Asked
from sevenfold.errors import ModelError, RecipeError
from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection

ENDS = ("<|endoftext|>", "<|end_of_text|>", "<|end▁of▁sentence|>", "<eos>", "</s>")
"""Tokens that end documents in the pre-training of well-known models."""


class Pretrain(Objective):
    """``-sum_i log p(x_i | x_<i) / tokens`` over whole documents, without a chat template.

    For a domain's or a language's own texts before a task is learnt from them (Gururangan et al. 2020, arXiv
    2004.10964). A row is one document (``format: text``); of a conversation the texts of its turns, a blank line
    between them. It gets the tokenizer's start token, where it has one, and an end-of-document token. A longer document
    than ``tune.max_length`` is read in windows, each of which is drawn by itself; a window's first ``overlap`` tokens
    are there to be read and not learnt again, so each token is learnt once and nothing is cut off.
    """

    targets = "text"
    language: ClassVar[bool] = True
    each: ClassVar[bool] = True

    overlap: int = Field(
        1, ge=0, description="Tokens that a window repeats of the one before; 0: its first token is not learnt."
    )
    end: str = Field("auto", description="The token behind each document; auto: the model's own for documents; none.")

    @property
    def measures(self) -> tuple[str, ...]:
        """What is learnt: the likelihood of the text."""
        return ("loss", "perplexity")

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The document; every token is a target but the first, which has nothing before it.

        Raises:
            ModelError: The tokenizer has no token of the name in ``end``.
        """
        from sevenfold.chat.encoder import TokenSequence

        ids = [*start_ids(encoder), *encoder.encode(text_of(row)), *self.end_ids(encoder)]
        return [TokenSequence(ids, unlearnt(len(ids), 1)).led(encoder.lead)]

    def end_ids(self, encoder: Encoder) -> list[int]:
        """The end-of-document token.

        Raises:
            ModelError: The tokenizer has none of this name.
        """
        known = encoder.tokenizer.get_vocab()
        if self.end == "none":
            return []
        if self.end == "auto":
            return [next((known[name] for name in ENDS if name in known), encoder.end_id)]
        if self.end not in known:
            raise ModelError(
                f"the tokenizer has no token {self.end!r}",
                value=self.end,
                alternatives=sorted(token.content for token in encoder.tokenizer.added_tokens_decoder.values()),
                where="tune.objective.end",
            )
        return [known[self.end]]

    def parts(self, sequence: TokenSequence, limit: int, encoder: Encoder) -> list[TokenSequence]:
        """Windows of a document that is over the limit."""
        body, length = sequence.behind(len(encoder.lead)), limit - len(encoder.lead)
        if len(body) <= length:
            return [sequence]
        starts = range(0, len(body) - self.overlap, length - self.overlap)
        return [window(body, start, length, self.overlap).led(encoder.lead) for start in starts]

    def asked(self, row: Row, encoder: Encoder, context: int) -> Asked:
        """The document's likelihood; an answer is what the model writes behind its first half.

        A document over the context is scored on what fits.
        """
        whole = self.sequences(row, encoder)[0]
        shown = replace(whole, ids=whole.ids[:context], weights=whole.weights[:context])
        half = len(shown) // 2
        prompt, rest = (encoder.decode(ids, skip_special=True) for ids in (shown.ids[:half], shown.ids[half:]))
        return Asked(prompt, rest, shown.ids[:half], shown)

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """``-sum_i w_i log p_i``."""
        return -(batch.weights_N * outputs).sum()

    def check(self, section: TuneSection) -> None:
        """Refuse windows that would not move on.

        Raises:
            RecipeError: They overlap wholly.
        """
        if self.overlap >= section.max_length // 2:
            raise RecipeError(
                f"windows of tune.max_length = {section.max_length} tokens that overlap by {self.overlap} read more "
                "than half of each text again",
                expected=f"an overlap of at most {section.max_length // 2 - 1}",
                next_step="a smaller overlap, or a larger tune.max_length",
            )


def text_of(row: Row) -> str:
    """A row's text."""
    return "\n\n".join(message.content for message in row.conversation.messages)


def start_ids(encoder: Encoder) -> list[int]:
    """The start token, where the tokenizer puts one before a text by itself."""
    added, start = list(encoder.tokenizer("")["input_ids"]), encoder.tokenizer.bos_token_id
    return added[:1] if added and added[0] == start else []


def unlearnt(length: int, first: int) -> list[float]:
    """Weights of tokens of which the first are not learnt."""
    return [0.0] * min(first, length) + [1.0] * max(0, length - first)


def window(body: TokenSequence, start: int, length: int, overlap: int) -> TokenSequence:
    """A window of a document; what it repeats is not learnt, nor its first token."""
    ids = body.ids[start : start + length]
    return replace(body, ids=ids, weights=unlearnt(len(ids), max(overlap, 1) if start else 1))
