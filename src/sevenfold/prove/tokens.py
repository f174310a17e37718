"""Proof 2, tokens: the ids that the trainer sees are the ids that a server would send to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sevenfold.chat.conversation import Conversation
from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.prove.proof import MANY, Case, Proof

if TYPE_CHECKING:
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.objectives import Objective


def prove(case: Case) -> Proof:
    """Count prompts whose ids differ from transformers' own rendering of the conversation so far.

    The reference is ``tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True)``, the call
    that transformers-based servers make; it shares no code with the encoder. Behind deployment the tokenizer is the
    one that was deployed.
    """
    encoder, rows = case.encoder(), case.rows(MANY)
    server = case.service.encoder() if case.service else encoder
    compare = of_labels if case.section.objective.targets == "prompt" else of_replies
    whose = "the deployed tokenizer's" if case.service else "the tokenizer's"
    wrong, unit, what = compare(case.section.objective, rows, encoder, server)
    return Proof.of("tokens", wrong, 0, unit, f"{what} of {len(rows)} rows against {whose} apply_chat_template")


def of_replies(objective: Objective, rows: list[Row], encoder: Encoder, server: Encoder) -> tuple[int, str, str]:
    """Replies that are learnt behind other ids than a server would send, what they are, and how many were compared."""
    said = [objective.said(row) for row in rows]
    wrong = sum(
        wrong_prompts(conversations, objective.sequences(row, encoder), server)
        for row, conversations in zip(rows, said, strict=True)
    )
    replies = sum(len(conversation.replies) for conversations in said for conversation in conversations)
    return wrong, "replies", f"ids before {replies} replies"


def of_labels(objective: Objective, rows: list[Row], encoder: Encoder, server: Encoder) -> tuple[int, str, str]:
    """Texts whose labels are learnt that are other ids than a server would send."""
    pairs = [
        (text.ids, served_ids(row.conversation, row.conversation.replies[-1], server))
        for row in rows
        for sequence in objective.sequences(row, encoder)
        for text in sequence.texts()
    ]
    return sum(trained != served for trained, served in pairs), "prompts", f"ids of {len(pairs)} prompts"


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
