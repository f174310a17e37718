"""Words to tokens and back.

A reply is learnt behind exactly the ids that a server would send before it: the prompt is rendered with the
template's generation prompt and tokenised as one text, the reply with its end of turn is tokenised behind it. Turns
of one conversation share a sequence as long as that stays true; where it does not (a template that drops earlier
thinking, a merge across the border of two turns), the conversation becomes several sequences. The proofs ``mask`` and
``tokens`` check both claims on the user's own rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(slots=True)
class TokenSequence:
    """Token ids and, for each, its weight in the loss as a target (0: not learnt).

    Args:
        ids: The tokens.
        weights: As many weights; the first token is never a target where targets are predicted from what is before.
        task: The number of the task that they are of, where several are told apart.
        branches: Where answers begin that all continue what stands before the first of them, each as if the others
            were not there; empty: one text.
        columns: Figures that an objective reads at the targets, by name, one for each token.
    """

    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    task: int = 0
    branches: tuple[int, ...] = ()
    columns: dict[str, list[float]] = field(default_factory=dict)

    def append(self, ids: Sequence[int], weight: float) -> None:
        """Add tokens that all have one weight."""
        self.ids.extend(ids)
        self.weights.extend([weight] * len(ids))

    def branch(self, ids: Sequence[int], weight: float) -> None:
        """Add an answer to what stands before the first branch."""
        self.branches = (*self.branches, len(self))
        self.append(ids, weight)

    @property
    def supervised(self) -> int:
        """How many tokens are targets."""
        return len(self.weights) - self.weights.count(0.0)

    def led(self, lead: Sequence[int]) -> TokenSequence:
        """The sequence behind some tokens that are not learnt."""
        blank = [0.0] * len(lead)
        return replace(
            self,
            ids=[*lead, *self.ids],
            weights=[*blank, *self.weights],
            branches=tuple(start + len(lead) for start in self.branches),
            columns={name: [*blank, *values] for name, values in self.columns.items()},
        )

    def behind(self, count: int) -> TokenSequence:
        """The sequence without its first tokens, which are before its branches."""
        return replace(
            self,
            ids=self.ids[count:],
            weights=self.weights[count:],
            branches=tuple(start - count for start in self.branches),
            columns={name: values[count:] for name, values in self.columns.items()},
        )

    def texts(self) -> list[TokenSequence]:
        """The sequence as texts without branches: each answer behind what all share; itself where there are none.

        What is learnt of the shared part is learnt in the first.
        """
        if not self.branches:
            return [self]
        edges, first = [*self.branches, len(self)], self.branches[0]
        found: list[TokenSequence] = []
        for start, end in pairwise(edges):
            kept = [*range(first), *range(start, end)]
            weights = [self.weights[place] if place >= first or not found else 0.0 for place in kept]
            columns = {name: [values[place] for place in kept] for name, values in self.columns.items()}
            found.append(TokenSequence([self.ids[place] for place in kept], weights, self.task, columns=columns))
        return found

    @property
    def longest(self) -> int:
        """Tokens of the longest of its texts."""
        if not self.branches:
            return len(self)
        edges = [*self.branches, len(self)]
        return self.branches[0] + max(end - start for start, end in pairwise(edges))

    def __len__(self) -> int:
        return len(self.ids)


class Encoder:
    """A tokenizer with its chat template and its stop tokens.

    Args:
        tokenizer: A tokenizer of transformers whose chat template is set.
        stop_ids: Ids that end a turn; generation stops at each of them.
        lead: Ids of virtual tokens that stand before every sequence and every prompt; they are behind the vocabulary.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stop_ids: Iterable[int], lead: Iterable[int] = ()) -> None:
        self.tokenizer = tokenizer
        self.stop_ids = frozenset(stop_ids)
        self.lead = tuple(lead)
        if not tokenizer.chat_template:
            raise ModelError(
                "the tokenizer has no chat template",
                where=str(tokenizer.name_or_path),
                next_step="set load.template, for example load.template: chatml",
            )

    def render(self, messages: Sequence[Message], reply_follows: bool) -> str:
        """The template's text for some messages; with ``reply_follows`` it ends where the assistant would speak.

        Raises:
            ModelError: The template refuses the messages, for example two user turns in a row.
        """
        if not messages:
            raise ModelError(
                "nothing is asked before the reply: a text alone is no conversation",
                next_step="tune.objective: pretrain, which learns plain text; or format rows with a prompt",
            )
        turns = [message.as_dict() for message in messages]
        try:
            text: Any = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=reply_follows)
        except Exception as error:
            roles = ", ".join(message.role for message in messages)
            raise ModelError(f"the chat template refuses the conversation: {error}", where=f"roles: {roles}") from error
        return str(text)

    def encode(self, text: str) -> list[int]:
        """The ids of a rendered text; nothing is added, the template wrote its own special tokens."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def decode(self, ids: Sequence[int], skip_special: bool = False) -> str:
        """The text of some ids, spaces as they are; virtual tokens have none."""
        if self.lead:
            ids = [token for token in ids if token not in self.lead]
        text: Any = self.tokenizer.decode(
            list(ids), skip_special_tokens=skip_special, clean_up_tokenization_spaces=False
        )
        return str(text)

    def led(self, ids: Sequence[int]) -> list[int]:
        """Ids behind the virtual tokens."""
        return [*self.lead, *ids]

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The ids that a server sends to the model to get a reply to ``messages``."""
        return self.led(self.encode(self.render(messages, reply_follows=True)))

    def reply(self, messages: Sequence[Message], index: int) -> list[int]:
        """The ids of the reply at ``index`` with its end of turn, as the model should write them.

        Raises:
            ModelError: The template's text for the reply does not begin with the text that a server would send.
        """
        return self.closed(self.encode(self.reply_text(messages, index)))

    def reply_text(self, messages: Sequence[Message], index: int) -> str:
        """What the template writes for the reply at ``index``, behind the text that a server would send.

        Raises:
            ModelError: Its text does not begin with that one.
        """
        before = self.render(messages[:index], reply_follows=True)
        whole = self.render(messages[: index + 1], reply_follows=False)
        if not whole.startswith(before):
            raise ModelError(
                "the chat template writes a reply behind another text than the one a server would send",
                expected=f"text that begins with ...{before[-60:]!r}",
                where=f"...{whole[max(0, len(before) - 60) : len(before) + 20]!r}",
                next_step="choose another template with load.template",
            )
        return whole[len(before) :]

    def closed(self, ids: list[int]) -> list[int]:
        """Reply ids cut behind the stop token that ends them; one is added when the template writes none."""
        for position in range(len(ids) - 1, -1, -1):
            if ids[position] in self.stop_ids:
                return ids[: position + 1]
        return [*ids, self.end_id]

    @cached_property
    def end_id(self) -> int:
        """The stop token that ends a reply where the template writes none."""
        end = self.tokenizer.eos_token_id
        if isinstance(end, int):
            return end
        return min(self.stop_ids)

    def sequences(self, conversation: Conversation) -> list[TokenSequence]:
        """The fewest sequences in which every supervised reply stands behind the ids that a server would send."""
        messages = conversation.messages
        found: list[TokenSequence] = []
        for index in conversation.replies:
            prompt = self.prompt(messages[:index])
            current = found[-1] if found else None
            if current is None or prompt[: len(current)] != current.ids:
                current = TokenSequence()
                found.append(current)
            current.append(prompt[len(current) :], 0.0)
            current.append(self.reply(messages, index), messages[index].weight)
        return found
