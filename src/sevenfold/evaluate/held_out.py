"""The rows that both models are measured on: drawn with the seed, encoded once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sevenfold.chat.asked import Asked
from sevenfold.chat.conversation import Message
from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.errors import DataError
from sevenfold.prepare.dataset import REJECTED, Dataset, Row


@dataclass(frozen=True, slots=True)
class Question:
    """One row as it is asked and scored.

    Args:
        number: The row's place in its split, from 0.
        origin: Where the row came from.
        prompt: The messages before the reference.
        reference: The reply that the row holds.
        prompt_ids: What a server would send to the model.
        sequence: The prompt's ids and behind them the reference's, which alone are supervised.
        task: The task whose adapter is asked, where each has its own.
        group: The rows that it is also compared with alone.
        rejected: The prompt's ids and behind them those of the answer that was not preferred, where the row has one.
        fields: The row's other columns, for metrics that need more than the reference: a context, tests, a schema.
        leading: Virtual tokens before the prompt.
    """

    number: int
    origin: str
    prompt: tuple[Message, ...]
    reference: str
    prompt_ids: list[int]
    sequence: TokenSequence
    task: str | None = None
    group: str | None = None
    rejected: TokenSequence | None = None
    fields: dict[str, str] = field(default_factory=dict)
    leading: int = 0

    def led(self, lead: Sequence[int]) -> Question:
        """The question behind virtual tokens."""
        rejected = self.rejected.led(lead) if self.rejected else None
        return replace(
            self,
            prompt_ids=[*lead, *self.prompt_ids],
            sequence=self.sequence.led(lead),
            rejected=rejected,
            leading=self.leading + len(lead),
        )

    def prompt_sequence(self) -> TokenSequence:
        """The prompt alone, all of it supervised but virtual tokens and the first, which nothing foretells.

        Raises:
            DataError: The prompt is no longer than that.
        """
        own = len(self.prompt_ids) - self.leading
        if own < 2:
            raise DataError(
                "a held-out row has no prompt of which a likelihood could be told",
                where=self.origin,
                expected="a prompt of two tokens or more",
                next_step="leave prompt_perplexity out of evaluate.metrics",
            )
        return TokenSequence(list(self.prompt_ids), [*[0.0] * (self.leading + 1), *[1.0] * (own - 1)])


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The questions, and how many chosen rows could not be asked, by reason."""

    split: str
    available: int
    questions: list[Question]
    left_out: dict[str, int]


Said = Callable[[Row], str | None]
"""What is said of a row by its columns or its origin."""


Asking = Callable[[Row, Encoder, int], Asked | None]
"""An objective's own way to ask a row; None: the usual one."""


def unsaid(row: Row) -> None:
    """Nothing."""


def usual(row: Row, encoder: Encoder, context: int) -> None:
    """No other way."""


def held_out(
    dataset: Dataset,
    encoder: Encoder,
    context: int,
    rows: int,
    seed: int,
    task_of: Said = unsaid,
    group_of: Said = unsaid,
    asked: Asking = usual,
) -> HeldOut:
    """Draw and encode the rows.

    Args:
        dataset: The rows; the split ``test`` is used, or ``validation`` where there is no test split.
        encoder: The tokenizer and template of both models.
        context: Tokens that the models can attend to; longer rows are left out and counted.
        rows: How many rows to draw; all when the split has fewer.
        seed: The seed of the draw.
        task_of: Each question's task.
        group_of: Each question's group.
        asked: How a row is asked where that is not its last reply behind what was said before.

    Raises:
        DataError: There is no held-out row, none can be asked, or one does not say its task or group.
    """
    split = next((name for name in ("test", "validation") if dataset.counts.get(name)), None)
    if split is None:
        raise DataError(
            "there are no held-out rows to evaluate on",
            where=str(dataset.folder),
            expected="rows in the split test or validation",
            next_step="set prepare.split, for example prepare.split: {validation: 0.1, test: 0.1}",
        )
    available = dataset.counts[split]
    # A draw and not the head: neighbouring rows often come from one file.
    chosen = set(random.Random(seed).sample(range(available), min(rows, available)))
    questions, left_out = [], Counter[str]()
    for number, row in enumerate(dataset.rows(split)):
        if number in chosen:
            found = ask(number, row, encoder, context, asked)
            if isinstance(found, Question):
                questions.append(replace(found, task=task_of(row), group=group_of(row)))
            else:
                left_out[found] += 1
    if not questions:
        raise DataError(
            f"none of the {len(chosen)} held-out rows can be evaluated",
            where=str(dataset.path(split)),
            expected=f"rows with a reply, of at most {context} tokens",
            next_step=f"look at the rows: {', '.join(f'{count} {reason}' for reason, count in left_out.items())}",
        )
    return HeldOut(split, available, questions, dict(left_out))


def ask(number: int, row: Row, encoder: Encoder, context: int, asked: Asking = usual) -> Question | str:
    """A row as a question, or the reason why it cannot be one."""
    conversation = row.conversation
    if own := asked(row, encoder, context):
        if len(own.sequence) > context:
            return "longer than the context"
        said = (Message("user", own.prompt),) if own.prompt else ()
        return Question(number, row.origin, said, own.reference, own.prompt_ids, own.sequence, fields=row.fields)
    if not conversation.replies:
        return "without a reply"
    prompt = conversation.prompt()
    ids = encoder.prompt(prompt)
    sequence = answered(ids, encoder.reply(conversation.messages, len(prompt)))
    rejected = None
    if REJECTED in row.fields:
        other = Message("assistant", row.fields[REJECTED])
        rejected = answered(ids, encoder.reply((*prompt, other), len(prompt)))
    if max(len(sequence), len(rejected or ())) > context:
        return "longer than the context"
    reference = conversation.reference()
    return Question(number, row.origin, prompt, reference, ids, sequence, rejected=rejected, fields=row.fields)


def answered(prompt_ids: list[int], reply_ids: list[int]) -> TokenSequence:
    """A prompt and an answer behind it, which alone is supervised."""
    sequence = TokenSequence()
    sequence.append(prompt_ids, 0.0)
    sequence.append(reply_ids, 1.0)
    return sequence
