"""A held-out text as a question, where it is no conversation."""

from __future__ import annotations

from dataclasses import dataclass

from sevenfold.chat.encoder import TokenSequence


@dataclass(frozen=True)
class Asked:
    """A held-out row as a question.

    Args:
        prompt: What is asked, for people.
        reference: What should be answered.
        prompt_ids: What the model is given.
        sequence: What is scored: its targets.
    """

    prompt: str
    reference: str
    prompt_ids: list[int]
    sequence: TokenSequence
