"""Asking a guard model: through an engine here, or at an OpenAI-compatible address."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sevenfold.errors import MachineError
from sevenfold.generate.engine import Engine, Sampling

if TYPE_CHECKING:
    from openai import OpenAI

LIKELIEST = 50
"""Tokens of a local model that are looked at where it decides."""
ALTERNATIVES = 5
"""Tokens whose probabilities a service is asked for; OpenAI's completions allow no more."""


@dataclass(frozen=True)
class Reply:
    """What a guard model wrote.

    Args:
        text: Its answer.
        at: From the part of the answer that stands before a word to the next tokens there with their log-probabilities,
            nats; none where they are not told.
    """

    text: str
    at: Callable[[str], Mapping[str, float]]


class Asker(ABC):
    """Somebody who answers raw prompts."""

    @abstractmethod
    def ask(self, prompts: Sequence[str], length: int) -> list[Reply]:
        """Greedy answers of at most ``length`` tokens, in the order of the prompts.

        Raises:
            SevenfoldError: Nobody answers, or a prompt is too long.
        """

    def close(self) -> None:
        """Give back what is held."""
        return None


class Local(Asker):
    """An engine on this machine.

    Args:
        engine: The guard model.
        start: The token that each of its texts begins with.
    """

    def __init__(self, engine: Engine, start: str) -> None:
        self.engine, self.start = engine, start

    def ask(self, prompts: Sequence[str], length: int) -> list[Reply]:
        """All answers as the engine batches them; probabilities are computed where they are asked for."""
        encode, decode = self.engine.encoder.encode, self.engine.encoder.decode
        answers = self.engine.generate([encode(self.start + one) for one in prompts], Sampling(max_new_tokens=length))

        def reply(prompt: str, text: str) -> Reply:
            def at(before: str) -> Mapping[str, float]:
                ids = encode(self.start + prompt + before)
                return summed((decode([id]), told) for id, told in self.engine.next_log_probs(ids, LIKELIEST).items())

            return Reply(text, at)

        return [reply(prompt, answer.text) for prompt, answer in zip(prompts, answers, strict=True)]

    def close(self) -> None:
        """Give back the model."""
        self.engine.close()


@dataclass(frozen=True)
class Remote(Asker):
    """A service that answers ``/completions`` in OpenAI's form; the frame is in the prompt, so no chat is asked.

    Args:
        address: The base address, for example ``http://127.0.0.1:8000/v1``.
        model: The model's name there.
        seconds: The longest that one try may take.
        tries: Tries in all, when the service is busy or broken.
        key_variable: The environment variable with the service's key; it is in no record.
    """

    address: str
    model: str
    seconds: float
    tries: int
    key_variable: str

    def ask(self, prompts: Sequence[str], length: int) -> list[Reply]:
        """One request a prompt."""
        return [self.one(prompt, length) for prompt in prompts]

    def one(self, prompt: str, length: int) -> Reply:
        """The answer to one prompt.

        Raises:
            MachineError: The service does not answer, or refuses.
        """
        import openai

        try:
            reply = self.client.completions.create(
                model=self.model, prompt=prompt, max_tokens=length, temperature=0, logprobs=ALTERNATIVES
            )
        except openai.OpenAIError as error:
            raise MachineError(
                f"the guard's service cannot be asked: {error}",
                where=self.address,
                expected="an address that answers /completions in OpenAI's form, with this model",
                next_step=f"look whether the service runs, has the model {self.model!r} and takes the key in "
                f"${self.key_variable}",
            ) from None
        choice = reply.choices[0]
        return Reply(choice.text, lambda before: told_at(choice.logprobs, before))

    @cached_property
    def client(self) -> OpenAI:
        """The connection.

        Raises:
            MachineError: The client's library is not installed.
        """
        try:
            from openai import OpenAI
        except ImportError:
            raise MachineError(
                "a guard at an address needs the package openai", next_step="pip install 'sevenfold[judge]'"
            ) from None
        key = os.environ.get(self.key_variable) or "none"
        return OpenAI(base_url=self.address, api_key=key, timeout=self.seconds, max_retries=self.tries - 1)


def told_at(logprobs: Any, before: str) -> Mapping[str, float]:
    """The alternatives that a service told for the token behind some text; none where it told nothing."""
    if logprobs is None or not logprobs.top_logprobs or not logprobs.tokens:
        return {}
    written = ""
    for token, told in zip(logprobs.tokens, logprobs.top_logprobs, strict=True):
        if len((written + token).rstrip()) > len(before.rstrip()):
            return dict(told or {})
        written += token
    return {}


def summed(pairs: Any) -> dict[str, float]:
    """Log-probabilities by text; tokens that decode to the same text count together."""
    found: dict[str, float] = {}
    for text, told in pairs:
        found[text] = math.log(math.exp(found[text]) + math.exp(told)) if text in found else told
    return found


def probability(told: Mapping[str, float], unsafe: str, safe: str) -> float | None:
    """The probability of the unsafe word against the safe one, from the next tokens; None where neither is told.

    A tokenizer may begin a word with a piece of it (``un`` of ``unsafe``), so each token counts for the word that it
    begins. Capitals and the space before a word do not matter.
    """
    shares = {unsafe: 0.0, safe: 0.0}
    for text, logarithm in told.items():
        piece = text.strip().lower()
        for word in (unsafe, safe):
            if piece and word.lower().startswith(piece):
                shares[word] += math.exp(logarithm)
    total = sum(shares.values())
    return shares[unsafe] / total if total else None
