"""A model that is examined: open, asked in batches, what it said kept so that a killed run goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sevenfold.chat.conversation import Message
from sevenfold.chat.encoder import TokenSequence
from sevenfold.evaluate.held_out import Question, answered
from sevenfold.evaluate.jsonl import TOGETHER, Kept
from sevenfold.evaluate.metrics import Likelihood, Metric
from sevenfold.generate.engine import Engine, Sampling

if TYPE_CHECKING:
    from pathlib import Path

    from sevenfold.console import Console
    from sevenfold.prepare.dataset import Dataset

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """One model in a check.

    Args:
        name: ``base``, ``tuned``, or the name of another.
        check: The check's name; its results are kept under it.
        engine: The model, ready to answer.
        lead: Virtual tokens before all that it reads.
        kept: What it said before.
        batch: Items of a batch.
        console: Where progress goes.
        questions: The held-out rows as they are asked.
        dataset: All rows; training rows for what was memorised.
        folder: The stage's folder.
        seed: The seed of what is drawn.
        metrics: The run's own metrics.
        max_new_tokens: The run's longest answer.
    """

    name: str
    check: str
    engine: Engine
    lead: Sequence[int]
    kept: Kept
    batch: int
    console: Console
    questions: Sequence[Question]
    dataset: Dataset
    folder: Path
    seed: int
    metrics: Sequence[Metric] = ()
    max_new_tokens: int = 64

    def answers(
        self, asked: Mapping[str, Sequence[Message]], max_new_tokens: int = 64, title: str = ""
    ) -> dict[str, dict[str, Any]]:
        """What the model writes to each conversation, greedily: ``text``, ``tokens``, ``finish_reason``.

        Args:
            asked: Key to the messages before the answer. A key stands for the same question in every run.
            max_new_tokens: The longest answer.
            title: What the progress is called.
        """
        ids = {key: [*self.lead, *self.engine.encoder.prompt(tuple(said))] for key, said in asked.items()}
        return self.continuations(ids, max_new_tokens, title=title)

    def continuations(
        self, asked: Mapping[str, list[int]], max_new_tokens: int, stop: tuple[str, ...] = (), title: str = ""
    ) -> dict[str, dict[str, Any]]:
        """The same of token ids, as they are."""
        sampling = Sampling(max_new_tokens=max_new_tokens, stop=stop)

        def work(batch: Sequence[list[int]]) -> list[dict[str, Any]]:
            given = self.engine.generate(batch, sampling)
            return [
                {"text": one.text, "finish_reason": one.finish_reason, "tokens": one.completion_tokens} for one in given
            ]

        return self.complete("answer", asked, len, work, title)

    def likelihoods(self, asked: Mapping[str, TokenSequence], title: str = "") -> dict[str, Likelihood]:
        """How likely the supervised tokens of each sequence are."""

        def work(batch: Sequence[TokenSequence]) -> list[dict[str, Any]]:
            return [{"nll": one.nll, "tokens": one.tokens} for one in self.engine.score(batch)]

        found = self.complete("score", asked, len, work, title)
        return {key: Likelihood(one["nll"], one["tokens"]) for key, one in found.items()}

    def reply(self, said: Sequence[Message], reply: str) -> TokenSequence:
        """A conversation and a reply behind it, which alone is supervised."""
        encoder, messages = self.engine.encoder, (*said, Message("assistant", reply))
        ids = [*self.lead, *encoder.prompt(tuple(said))]
        return answered(ids, encoder.reply(messages, len(said)))

    def complete(
        self,
        kind: str,
        items: Mapping[str, T],
        length: Callable[[T], int],
        work: Callable[[Sequence[T]], Sequence[dict[str, Any]]],
        title: str = "",
    ) -> dict[str, dict[str, Any]]:
        """The result of every item by its key; what is missing is worked out in batches, and kept.

        Args:
            kind: What is done with them; the same key may be answered and scored.
            items: Key to item.
            length: An item's length; batches hold items of like length.
            work: The results of a batch, a dictionary each.
            title: What the progress is called.
        """
        keyed = {f"{self.check} {kind} {key}": item for key, item in items.items()}
        with self.console.task(f"{self.name}: {title or self.check}", len(keyed)) as bar:
            found = self.kept.complete(keyed, self.batch * TOGETHER, length, work, bar)
        return dict(zip(items, found, strict=True))
