"""Learning from answers of the model's own that rewards judge: drawing, judging, and the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import RecipeError
from sevenfold.generate.engine import Sampling
from sevenfold.schema import Chosen, build
from sevenfold.tune.objectives import OBJECTIVES, Collected, Extra, Figures, Objective
from sevenfold.tune.objectives._answers import last_reply
from sevenfold.tune.rewards import REWARDS, Answered, Reward

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from sevenfold.chat.conversation import Conversation
    from sevenfold.chat.encoder import Encoder
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.methods import Moment
    from sevenfold.tune.section import TuneSection

REFERENCE = "reference"
"""Column: what the reference says of a token, nats."""


@dataclass
class Drawn:
    """Answers to one prompt.

    Args:
        prompt: The ids before them, and the task.
        answers: Ids of each.
        answered: What rewards see of each.
        rewards: What each is worth.
    """

    prompt: TokenSequence
    answers: list[list[int]]
    answered: list[Answered]
    rewards: list[float]

    def sequence(self) -> TokenSequence:
        """The prompt once and each answer behind it; every token of an answer has the weight 1."""
        found = TokenSequence(task=self.prompt.task)
        found.append(self.prompt.ids, 0.0)
        for ids in self.answers:
            found.branch(ids, 1.0)
        return found


class OnPolicy(Objective):
    """Answers are drawn from the model as it stands, judged by rewards, and learnt by what they turned out to be worth.

    Rows: a conversation; its last reply is the reference that rewards compare with, and is not learnt itself.
    """

    on_policy = True
    anew = True
    compares: ClassVar[bool] = False
    """Whether an answer is worth what it is beside the others to its prompt."""
    rewards: list[Annotated[Reward, Chosen(REWARDS)]] = Field(
        default_factory=lambda: [build(REWARDS.find("exact_match"), {}, "exact_match")],
        min_length=1,
        description="What answers are judged by; their weighted sum is what is learnt.",
    )
    answers_each: int = Field(8, ge=1, description="Answers that are drawn to each prompt.")
    max_new_tokens: int = Field(64, ge=1, description="The longest answer that is drawn, tokens.")
    temperature: float = Field(
        1.0, gt=0, description="Logits are divided by it, in drawing and in what is learnt of what was drawn."
    )
    repeats: int = Field(1, ge=1, description="Times that drawn answers are learnt from before new ones are drawn.")
    minibatches: int = Field(
        1, ge=1, description="Optimiser steps that one time through the drawn answers is dealt into."
    )
    reference_decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="The reference is a moving average of the weights, of which so much stays with each step; not "
        "given: it is the model before the first step.",
    )

    def check(self, section: TuneSection) -> None:
        """Refuse a single answer where answers to one prompt are compared."""
        if self.compares and self.answers_each < 2:
            name = OBJECTIVES.name_of(self)
            raise RecipeError(
                f"{name} compares the answers to one prompt, and answers_each is 1",
                where=f"tune.objective.{name}.answers_each",
                expected="at least 2; 8 is usual",
                next_step="answers_each: 8, or objective: ppo",
            )

    @property
    def pull(self) -> float:
        """How strongly the reference holds the model; 0: there is none."""
        raise NotImplementedError

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The prompt, and the row's own reply behind it."""
        return [last_reply(row).sequence(encoder)]

    def said(self, row: Row) -> list[Conversation]:
        """The last reply."""
        return last_reply(row).conversations()

    def own(self, network: PreTrainedModel, model: Model) -> nn.Module:
        """The judges, the tokenizer, and the reference's weights."""
        from sevenfold.tune.objectives._beside import Beside

        return Beside(self.rewards, model.encoder(), network if self.pull else None, self.reference_decay)

    def extra(self, model: Model) -> Extra:
        """Answers of full length; they are drawn, and read again for what the model and the reference say of them."""
        return Extra(
            forwards=(2.0 + bool(self.pull)) / self.repeats,
            answers=self.answers_each,
            answer_tokens=self.max_new_tokens,
            repeats=self.repeats,
        )

    def example(self, sequence: TokenSequence) -> TokenSequence:
        """The row's reply, its first half, and its tokens the other way round, with figures that nobody computed."""
        first = sequence.branches[0]
        reply = sequence.ids[first:]
        drawn = [reply, reply[: max(1, len(reply) // 2)], reply[::-1]]
        made = Drawn(TokenSequence(sequence.ids[:first], task=sequence.task), drawn, [], [])
        return self.supposed(made.sequence())

    def supposed(self, sequence: TokenSequence) -> TokenSequence:
        """A sequence with columns whose numbers differ from token to token, for proofs."""
        raise NotImplementedError

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """The log-probability of each target at the temperature, ``N``, float32, nats."""
        return forward.states_and_logprobs(batch, self.temperature)[1]

    def collect(self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], at: Moment) -> Collected:
        """Draw answers, judge them, and say how much better or worse each was than could be expected."""
        beside: Any = forward.own
        if at.step:
            beside.follow(forward.network)
        generator = at.generator()
        import torch

        seed = int(torch.randint(2**31, (1,), generator=generator))
        drawn, figures, notes = self.draw(forward, rows, sequences, seed)
        learnt, more = self.learnable(forward, drawn)
        updates = [
            part
            for _ in range(self.repeats)
            for part in self.dealt(learnt, torch.randperm(len(learnt), generator=generator).tolist())
        ]
        return Collected(updates, {**figures, **more}, notes)

    def draw(
        self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], seed: int | None
    ) -> tuple[list[Drawn], Figures, tuple[str, ...]]:
        """Answers to the rows' prompts, judged; without a seed one greedy answer to each."""
        from sevenfold.tune.engine import policy

        beside: Any = forward.own
        greedy = seed is None
        sampling = Sampling(self.max_new_tokens, 0.0 if greedy else self.temperature, seed=seed)
        prompts = [replace(one, ids=one.ids[: one.branches[0]]) for one in sequences]
        count = 1 if greedy else self.answers_each
        written = policy.answers(forward, beside.encoder, prompts, count, sampling)
        drawn = [
            Drawn(prompt, ids, [beside.answered(row, own) for own in ids], [])
            for row, prompt, ids in zip(rows, prompts, written, strict=True)
        ]
        everything = [answered for one in drawn for answered in one.answered]
        judged = beside.judges.judge(everything)
        for number, one in enumerate(drawn):
            one.rewards = judged.totals[number * count : (number + 1) * count]
        figures = {
            **judged.figures,
            "answer tokens": fmean(answered.tokens for answered in everything),
            "ended": fmean(answered.ended for answered in everything),
        }
        return drawn, figures, judged.notes

    def learnable(self, forward: Forward, drawn: list[Drawn]) -> tuple[list[TokenSequence], Figures]:
        """What is learnt of judged answers, and what is worth watching of it."""
        raise NotImplementedError

    def dealt(self, sequences: list[TokenSequence], order: list[int]) -> list[list[TokenSequence]]:
        """Sequences in parts of about equal number, in some order; the prompts of a part stay together."""
        if self.minibatches == 1:
            return [self.normalised(sequences)]
        kept = [order[start :: self.minibatches] for start in range(min(self.minibatches, len(order)))]
        return [self.normalised([sequences[index] for index in sorted(part)]) for part in kept]

    def normalised(self, sequences: list[TokenSequence]) -> list[TokenSequence]:
        """The sequences of one update, with what depends on all of them."""
        return sequences

    def now(
        self, forward: Forward, sequences: list[TokenSequence], outputs: Callable[[Forward, Pass], Tensor] | None = None
    ) -> list[Tensor]:
        """What the model says now of each token, ``T`` or what ``outputs`` gives."""
        from sevenfold.tune.engine import policy

        return policy.said(forward, outputs or self.outputs, sequences)

    def of_reference(self, forward: Forward, sequences: list[TokenSequence]) -> list[list[float]]:
        """What the reference says of each token, nats."""
        from sevenfold.tune.engine import policy

        beside: Any = forward.own

        def logprobs(forward: Forward, batch: Pass) -> Tensor:
            return forward.states_and_logprobs(batch, self.temperature)[1]

        with beside.start.instead(forward.network):
            return [values.tolist() for values in policy.said(forward, logprobs, sequences)]

    def validation(
        self, forward: Forward, rows: Sequence[Row], sequences: list[TokenSequence], budget: int
    ) -> tuple[float, Figures]:
        """Minus the mean reward of greedy answers, and what they are otherwise."""
        _, figures, _ = self.draw(forward, rows, sequences, None)
        return -figures["reward"], figures
