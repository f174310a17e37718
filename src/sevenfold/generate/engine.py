"""The one interface: token ids in, text out.

Prompts are ids made by :meth:`sevenfold.chat.encoder.Encoder.prompt`, so every engine reads exactly what the trainer
saw. An engine is opened by a :class:`Backend`, the component that a recipe chooses by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Self

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.errors import ModelError
from sevenfold.schema import Component

FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen.

    Args:
        max_new_tokens: Most tokens of an answer, its stop token included.
        temperature: 0 takes the likeliest token; above, logits are divided by it.
        top_p: Only the likeliest tokens that together have this probability are drawn from.
        seed: The seed of the draws of one call; None draws differently each time.
        stop: Texts that end the answer; they are not part of it.
    """

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Args:
        text: The answer without its stop token, special tokens left out.
        ids: Every token that was written, the stop token included. Empty for a streamed answer of an engine that
            streams text, not tokens (xllamacpp).
        finish_reason: ``stop`` at a stop token or text, ``length`` at the limit.
        prompt_tokens: Tokens of the prompt.
        completion_tokens: Tokens that were written, the stop token included.
        seconds: From when its prompt was read to its last token; of a padded batch, the batch's time.
        labels: The probability of each label, where the model answers with one.
    """

    text: str
    ids: list[int] = field(repr=False)
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    labels: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """How likely a model finds the supervised tokens of a sequence.

    Args:
        nll: Sum over supervised tokens of weight times negative log-likelihood, nats.
        tokens: How many tokens are supervised.
        log_probs: The log-probability of each supervised token in order, nats, not weighted.
        greedy: Whether every supervised token is the likeliest in its place, so that a greedy answer begins with them;
            None where the engine does not say.
    """

    nll: float
    tokens: int
    log_probs: list[float] = field(repr=False)
    greedy: bool | None = None


@dataclass(frozen=True, slots=True)
class Adapters:
    """Several adapters that lie in one network, of which one answers at a time.

    Args:
        names: What they are called: their tasks.
        answers: The one that answers where nobody says which.
        select: Lets the network answer with the adapter of a name from now on; quick, nothing is built again.
    """

    names: tuple[str, ...]
    answers: str
    select: Callable[[str], object]


class Engine(ABC):
    """A model that answers.

    Attributes:
        name: The engine's name in a recipe.
        encoder: The tokenizer, template and stop tokens of the model.
        context: Most tokens of a prompt and its answer together.
    """

    name: ClassVar[str]
    encoder: Encoder
    context: int

    @property
    def tasks(self) -> Mapping[str, Engine]:
        """This engine as it answers with each of its adapters, by task; empty where there is nothing to choose."""
        return {}

    @abstractmethod
    def generate(self, prompts: Sequence[list[int]], sampling: Sampling) -> list[Answer]:
        """Answers in the order of the prompts.

        Raises:
            ModelError: A prompt leaves no room for an answer.
        """

    @abstractmethod
    def stream(self, prompt: list[int], sampling: Sampling) -> Generator[str | Answer, None, None]:
        """The answer's text piece by piece, then the :class:`Answer`, whose text is the pieces joined.

        Closing the iterator stops the generation.

        Raises:
            ModelError: The prompt leaves no room for an answer.
        """

    @abstractmethod
    def next_log_probs(self, prompt: list[int], count: int) -> dict[int, float]:
        """The ``count`` likeliest next tokens with their log-probabilities, nats, before any sampling."""

    def score(self, sequences: Sequence[TokenSequence]) -> list[Score]:
        """The likelihood of each sequence's supervised tokens.

        Raises:
            ModelError: This engine cannot read the probabilities of given tokens.
        """
        raise ModelError(
            f"the engine {self.name!r} cannot score given text", next_step="score with the engine transformers"
        )

    def room(self, prompt: list[int], sampling: Sampling) -> int:
        """Tokens that an answer may have: the wanted number, or what the context leaves.

        Raises:
            ModelError: The prompt is empty or fills the context.
        """
        if not prompt:
            raise ModelError("the prompt is empty", expected="at least one token")
        left = self.context - len(prompt)
        if left < 1:
            raise ModelError(
                f"the prompt has {len(prompt)} tokens, the context of {self.name} has {self.context}",
                expected=f"at most {self.context - 1} tokens",
                next_step="shorten the prompt, or serve with a larger context",
            )
        return min(sampling.max_new_tokens, left)

    def close(self) -> None:
        """Give back what the engine holds; it cannot be used afterwards."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Capacity:
    """What an engine may use.

    Args:
        threads: Threads of matrix products.
        at_once: Requests that are answered at the same time.
        context: Most tokens of a prompt and its answer together.
    """

    threads: int = 1
    at_once: int = 4
    context: int = 2048


class Backend(Component):
    """How an exported model is opened: the component that a recipe names (``engine: xllamacpp``).

    Attributes:
        form: The export that it opens, a name of the deploy stage's exports.
    """

    form: ClassVar[str]

    def open(self, path: Path, encoder: Encoder, capacity: Capacity) -> Engine:
        """The engine, ready to answer.

        Args:
            path: The export's folder.
            encoder: The tokenizer, template and stop tokens of the model.
            capacity: What it may use.

        Raises:
            ModelError: The export cannot be read.
        """
        raise NotImplementedError(type(self).__name__)
