"""A model that turns texts into vectors instead of writing text."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from sevenfold.chat.encoder import Encoder
from sevenfold.errors import ModelError
from sevenfold.generate.engine import Adapters, Answer, Engine, Sampling

if TYPE_CHECKING:
    from torch import Tensor


class EmbeddingEngine(Engine):
    """A network whose states are the vectors of texts.

    Args:
        read: From some texts, and whether they are asked with, to their vectors, ``B x D``.
        encoder: The tokenizer of the model.
        context: Most tokens of a text.
        batch_size: Texts that are read at once.
        adapters: The adapters that can be chosen, where the network holds several.
    """

    name: ClassVar[str] = "embeddings"

    def __init__(
        self,
        read: Callable[[Sequence[str], bool], Tensor],
        encoder: Encoder,
        context: int,
        batch_size: int = 8,
        adapters: Adapters | None = None,
    ) -> None:
        self.read, self.encoder, self.context, self.batch_size = read, encoder, context, batch_size
        self.adapters, self.adapter = adapters, adapters.answers if adapters else ""
        self.lock = threading.Lock()

    @property
    def tasks(self) -> Mapping[str, EmbeddingEngine]:
        """This engine as it reads with each adapter: all share the network and wait for each other."""
        return {name: self.answering_as(name) for name in self.adapters.names} if self.adapters else {}

    def answering_as(self, adapter: str) -> EmbeddingEngine:
        """The same engine with another adapter."""
        other = copy.copy(self)
        other.adapter = adapter
        return other

    def tokens(self, text: str) -> int:
        """Tokens of a text, its special ones included.

        Raises:
            ModelError: The context does not hold it.
        """
        found = len(self.encoder.led(self.encoder.tokenizer(text)["input_ids"]))
        if found > self.context:
            raise ModelError(
                f"the text has {found} tokens, the context of the model has {self.context}",
                expected=f"at most {self.context} tokens",
                next_step="part the text",
            )
        return found

    def embed(self, texts: Sequence[str], query: bool = False) -> list[list[float]]:
        """The vector of each text, in order; texts of like length go through together.

        Args:
            texts: Any number.
            query: Whether they are asked with; otherwise they are texts to be found.

        Raises:
            ModelError: The context does not hold one of them.
        """
        lengths = [self.tokens(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda index: lengths[index])
        found: dict[int, list[float]] = {}
        with self.lock:
            if self.adapters:
                self.adapters.select(self.adapter)
            for start in range(0, len(order), self.batch_size):
                chosen = order[start : start + self.batch_size]
                vectors = self.read([texts[index] for index in chosen], query).float().cpu().tolist()
                found.update(zip(chosen, vectors, strict=True))
        return [found[index] for index in range(len(texts))]

    def generate(self, prompts: Sequence[list[int]], sampling: Sampling) -> list[Answer]:
        """There is no answer.

        Raises:
            ModelError: Always.
        """
        raise self.silent()

    def stream(self, prompt: list[int], sampling: Sampling) -> Generator[str | Answer, None, None]:
        """There is no answer.

        Raises:
            ModelError: Always.
        """
        raise self.silent()

    def next_log_probs(self, prompt: list[int], count: int) -> dict[int, float]:
        """There is no next token.

        Raises:
            ModelError: Always.
        """
        raise self.silent()

    def silent(self) -> ModelError:
        """The error for a question."""
        return ModelError(
            "this model turns texts into vectors and answers nothing", next_step="ask /v1/embeddings for vectors"
        )
