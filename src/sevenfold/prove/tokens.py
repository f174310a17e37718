"""Proof 2, tokens: the ids that the trainer sees are the ids that a server would send to the model."""

from __future__ import annotations

from typing import Any

from sevenfold.chat.conversation import Conversation
from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.prove.proof import MANY, Case, Proof


def prove(case: Case) -> Proof:
    """Count replies whose preceding ids differ from transformers' own rendering of the conversation so far.

    The reference is ``tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True)``, the call
    that transformers-based servers make; it shares no code with the encoder. Behind deployment the tokenizer is the
    one that was deployed.
    """
    encoder = case.encoder()
    server = case.service.encoder() if case.service else encoder
    rows, objective = case.rows(MANY), case.section.objective
    said = [objective.said(row) for row in rows]
    replies = sum(len(conversation.replies) for conversations in said for conversation in conversations)
    wrong = sum(
        wrong_prompts(conversations, objective.sequences(row, encoder), server)
        for row, conversations in zip(rows, said, strict=True)
        if conversations
    )
    whose = "the deployed tokenizer's" if case.service else "the tokenizer's"
    what = f"ids before {replies} replies of {len(rows)} rows against {whose} apply_chat_template"
    return Proof.of("tokens", wrong, 0, "replies", what)


def wrong_prompts(conversations: list[Conversation], sequences: list[TokenSequence], server: Encoder) -> int:
    """Replies of some conversations that stand behind other ids than a server would send."""
    texts = [text for sequence in sequences for text in sequence.texts()]
    trained = [text.ids[:start] for text in texts for start in reply_starts(text)]
    served = [served_ids(said, index, server) for said in conversations for index in said.replies]
    differing = sum(a != b for a, b in zip(trained, served, strict=False))
    return differing + abs(len(trained) - len(served))


def reply_starts(sequence: TokenSequence) -> list[int]:
    """Where supervised runs begin."""
    weights = sequence.weights
    return [i for i in range(len(weights)) if weights[i] > 0 and (i == 0 or weights[i - 1] == 0)]


def served_ids(conversation: Conversation, index: int, server: Encoder) -> list[int]:
    """What a server sends to get the reply at ``index``."""
    messages = [message.as_dict() for message in conversation.messages[:index]]
    rendered: Any = server.tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True
    )
    return server.led(rendered["input_ids"])
