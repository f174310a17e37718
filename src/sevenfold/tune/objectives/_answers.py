"""Answers to one prompt that are judged: what the objectives of preference have in common.

A row is a conversation whose last reply is the one that was preferred, beside a column with the one that was not. Both
continue the same prompt, which is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import DataError
from sevenfold.prepare.dataset import REJECTED
from sevenfold.tune.objectives import Objective

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import Encoder
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.passes import Pass

HOW = "format: preference reads the columns prompt, chosen and rejected"


@dataclass(frozen=True)
class Judged:
    """A prompt and the answers to it that a row holds.

    Args:
        prompt: Everything before the last reply.
        answers: The replies; where there are two, the preferred one comes first.
    """

    prompt: tuple[Message, ...]
    answers: tuple[Message, ...]

    def conversations(self) -> list[Conversation]:
        """Each answer behind the prompt, of which nothing else is learnt."""
        given = tuple(replace(message, weight=0.0) for message in self.prompt)
        return [Conversation((*given, answer)) for answer in self.answers]

    def sequence(self, encoder: Encoder) -> TokenSequence:
        """The prompt once and every answer behind it as a branch, with the weight of its message."""
        found = TokenSequence()
        found.append(encoder.prompt(self.prompt), 0.0)
        for answer in self.answers:
            found.branch(encoder.reply((*self.prompt, answer), len(self.prompt)), answer.weight)
        return found


def last_reply(row: Row) -> Judged:
    """A row's prompt and its own reply.

    Raises:
        DataError: There is no reply, or nothing is asked before it.
    """
    messages, replies = row.conversation.messages, row.conversation.replies
    if not replies:
        raise DataError("a row has no reply", where=row.origin, next_step=HOW)
    prompt = messages[: replies[-1]]
    if not any(message.role != "system" and message.content.strip() for message in prompt):
        raise DataError(
            "a row has no prompt: nothing is asked before its reply",
            where=row.origin,
            expected="a user's turn before the reply; answers are compared as answers to the same question",
            next_step=HOW,
        )
    return Judged(prompt, (messages[replies[-1]],))


def chosen_and_rejected(row: Row, column: str) -> Judged:
    """A row's prompt, its own reply, and the one that the column holds, with the reply's weight.

    Raises:
        DataError: A part is missing, or both answers say the same.
    """
    found = last_reply(row)
    (chosen,) = found.answers
    if column not in row.fields:
        raise DataError(
            f"a row has no column {column!r}: the answer that was not preferred",
            where=row.origin,
            value=column,
            alternatives=row.fields,
            next_step=f"{HOW}; or name the column, tune.objective: {{dpo: {{rejected: your_column}}}}",
        )
    rejected = row.fields[column]
    if not rejected.strip():
        raise DataError(f"the column {column!r} of a row is empty", where=row.origin, expected="an answer")
    if rejected.strip() == chosen.content.strip():
        raise DataError(
            f"both answers of a row are the same: {chosen.content.strip()[:80]!r}",
            where=row.origin,
            expected="two answers of which one is better",
            next_step="leave such rows out; format: preference does, and counts them",
        )
    return replace(found, answers=(chosen, replace(chosen, content=rejected)))


def text_weights(batch: Pass) -> Tensor:
    """The weight of each text, which all its targets have; ``B``."""
    return batch.per_branch(batch.weights_N) / target_counts(batch)


def target_counts(batch: Pass) -> Tensor:
    """How many targets each text has; ``B``, float32."""
    import torch

    return batch.per_branch(torch.ones_like(batch.weights_N)).clamp(min=1.0)


class PairLoss(Objective):
    """A loss of each pair of answers, the better one first; the mean over pairs, each with the weight of its reply."""

    def pair_weights(self, batch: Pass) -> Tensor:
        """The weight of each pair, ``P``."""
        return pairs(text_weights(batch))[0]

    def weight(self, batch: Pass) -> float:
        """The sum of the pairs' weights."""
        return float(self.pair_weights(batch).sum())

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The pairs' losses, weighted and summed."""
        return (self.pair_weights(batch) * self.losses(outputs, batch)).sum()

    def losses(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The loss of each pair, ``P``."""
        raise NotImplementedError

    def values(self, outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
        """What the model gives the better and the other answer of each pair, ``P`` and ``P``."""
        raise NotImplementedError

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """The share of pairs whose better answer is given more, the mean margin, and what both are given."""
        weights_P = self.pair_weights(batch)
        chosen_P, rejected_P = self.values(outputs, batch)
        return {
            "accuracy": (weights_P * (chosen_P > rejected_P)).sum(),
            "margin": (weights_P * (chosen_P - rejected_P)).sum(),
            "chosen": (weights_P * chosen_P).sum(),
            "rejected": (weights_P * rejected_P).sum(),
        }


class Pairs(PairLoss):
    """Pairs that the rows hold: a conversation whose last reply is the better one, and the column :attr:`rejected`."""

    rejected: str = Field(REJECTED, description="The column with the answer that was not preferred.")

    @property
    def measures(self) -> tuple[Any, ...]:
        """Held-out pairs, and what is measured of text that is written."""
        return ("pair_accuracy", "loss", "perplexity", "chrf", "rouge_l", "exact_match")

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """One sequence: the prompt, and both answers behind it, the preferred one first."""
        found = chosen_and_rejected(row, self.rejected).sequence(encoder)
        first, second = found.branches
        if found.ids[first:second] == found.ids[second:]:
            raise DataError(
                "both answers of a row have the same tokens",
                where=row.origin,
                expected="answers that differ in more than what the chat template strips",
            )
        return [found]

    def said(self, row: Row) -> list[Conversation]:
        """Both answers."""
        return chosen_and_rejected(row, self.rejected).conversations()


def pairs(values_B: Tensor) -> tuple[Tensor, Tensor]:
    """Values of all texts as those of the first and of the second of each pair, ``P`` and ``P``."""
    values_P2 = values_B.view(-1, 2)
    return values_P2[:, 0], values_P2[:, 1]


def sums(outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
    """The log-probability of each pair's answers, nats; ``P`` and ``P``."""
    return pairs(batch.per_branch(outputs))


def means(outputs: Tensor, batch: Pass) -> tuple[Tensor, Tensor]:
    """The mean log-probability of a token of each pair's answers, nats; ``P`` and ``P``."""
    return pairs(batch.per_branch(outputs) / target_counts(batch))


def stem(sequence: TokenSequence) -> Sequence[int]:
    """What the answers of a sequence continue."""
    return sequence.ids[: sequence.branches[0]]
