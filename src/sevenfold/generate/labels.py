"""A model that answers with labels instead of writing text: each prompt is read once and nothing is drawn."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.errors import ModelError
from sevenfold.generate.engine import Adapters, Answer, Engine, Sampling, Score

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer that is a label, a number, or what was found in the text.

    Args:
        text: The answer as the training rows' replies write it.
        labels: The probability of each label, or of each thing that was found; none of a number.
    """

    text: str
    labels: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Whole:
    """A network and what the objective has beside it, as one model of transformers.

    Args:
        auto: The class that opens it, such as ``AutoModelForSequenceClassification``.
        config: What its configuration says beside the base's.
        weights: The tensors of its head, by their names in the head.
        notes: What who opens it should know.
    """

    auto: str
    config: dict[str, Any]
    weights: dict[str, Tensor]
    notes: list[str] = field(default_factory=list)


class LabelEngine(Engine):
    """A network with a head of its own, asked as any engine is; what a request says of sampling changes nothing.

    Args:
        read: Answers to prompts.
        encoder: The tokenizer, template and stop tokens of the model.
        context: Most tokens of a prompt.
        batch_size: Prompts that are read at once.
        adapters: The adapters that can be chosen, where the network holds several.
        judge: What each sequence's answer is worth, where that is what the network says.
    """

    name: ClassVar[str] = "labels"

    def __init__(
        self,
        read: Callable[[Sequence[list[int]]], list[Labelled]],
        encoder: Encoder,
        context: int,
        batch_size: int = 8,
        adapters: Adapters | None = None,
        judge: Callable[[Sequence[TokenSequence]], list[float]] | None = None,
    ) -> None:
        self.judge = judge
        self.read, self.encoder, self.context, self.batch_size = read, encoder, context, batch_size
        self.adapters, self.adapter = adapters, adapters.answers if adapters else ""
        self.lock = threading.Lock()

    @property
    def tasks(self) -> Mapping[str, LabelEngine]:
        """This engine as it answers with each adapter: all share the network and wait for each other."""
        return {name: self.answering_as(name) for name in self.adapters.names} if self.adapters else {}

    def answering_as(self, adapter: str) -> LabelEngine:
        """The same engine with another adapter."""
        other = copy.copy(self)
        other.adapter = adapter
        return other

    def generate(self, prompts: Sequence[list[int]], sampling: Sampling) -> list[Answer]:
        """Answers in the order of the prompts; none has tokens, as none is written."""
        import torch

        for prompt in prompts:
            self.room(prompt, sampling)
        answers = []
        for start in range(0, len(prompts), self.batch_size):
            batch = prompts[start : start + self.batch_size]
            started = time.perf_counter()
            with self.lock, torch.inference_mode():
                if self.adapters:
                    self.adapters.select(self.adapter)
                found = self.read(batch)
            seconds = time.perf_counter() - started
            answers += [
                Answer(one.text, [], "stop", len(prompt), 0, seconds, dict(one.labels))
                for one, prompt in zip(found, batch, strict=True)
            ]
        return answers

    def stream(self, prompt: list[int], sampling: Sampling) -> Generator[str | Answer, None, None]:
        """The answer as one piece."""
        (answer,) = self.generate([prompt], sampling)
        if answer.text:
            yield answer.text
        yield answer

    def score(self, sequences: Sequence[TokenSequence]) -> list[Score]:
        """What each sequence's answer is worth, as the likelihood of one token.

        Raises:
            ModelError: The network gives labels and judges nothing.
        """
        if self.judge is None:
            return super().score(sequences)
        with self.lock:
            if self.adapters:
                self.adapters.select(self.adapter)
            return [Score(-value, 1, [value]) for value in self.judge(sequences)]

    def next_log_probs(self, prompt: list[int], count: int) -> dict[int, float]:
        """There is no next token.

        Raises:
            ModelError: Always.
        """
        raise ModelError("a model that answers with labels writes no tokens", next_step="ask it for its answer")
