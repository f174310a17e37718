"""Proof 1, mask: the supervised tokens decode to exactly the intended replies, end of turn included."""

from __future__ import annotations

from itertools import groupby

from sevenfold.chat.conversation import Conversation
from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.prove.proof import MANY, Case, Proof


def prove(case: Case) -> Proof:
    """Count replies of the first rows whose supervised tokens say something else, or that are not supervised."""
    encoder = case.encoder()
    rows, objective = case.rows(MANY), case.section.objective
    said = [objective.said(row) for row in rows]
    replies = sum(len(conversation.replies) for conversations in said for conversation in conversations)
    wrong = sum(
        wrong_replies(conversations, objective.sequences(row, encoder), encoder)
        for row, conversations in zip(rows, said, strict=True)
    )
    what = f"{replies} replies of {len(rows)} rows against the text of their supervised tokens"
    return Proof.of("mask", wrong, 0, "replies", what)


def wrong_replies(conversations: list[Conversation], sequences: list[TokenSequence], encoder: Encoder) -> int:
    """Replies that are not what some run of supervised tokens says, and runs that say anything else."""
    intended = [said.messages[index].content for said in conversations for index in said.replies]
    spans = [span for sequence in sequences for text in sequence.texts() for span in supervised_spans(text)]
    wrong = sum(not says(span, text, encoder) for span, text in zip(spans, intended, strict=False))
    return wrong + abs(len(spans) - len(intended))


def supervised_spans(sequence: TokenSequence) -> list[list[int]]:
    """The ids of each unbroken run of supervised tokens."""
    runs = groupby(zip(sequence.ids, sequence.weights, strict=True), key=lambda pair: pair[1] > 0)
    return [[token for token, _ in run] for supervised, run in runs if supervised]


def says(span: list[int], text: str, encoder: Encoder) -> bool:
    """Whether a span is the text and one stop token behind it.

    Templates may strip a message, and tokenizers may normalise text; both sides go through the same tokenizer.
    """
    if span[-1] not in encoder.stop_ids or any(token in encoder.stop_ids for token in span[:-1]):
        return False
    found = encoder.decode(span[:-1])
    return any(found == encoder.decode(encoder.encode(candidate)) for candidate in (text, text.strip()))
