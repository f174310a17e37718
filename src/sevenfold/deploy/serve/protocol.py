"""What comes in and goes out, as OpenAI's chat and completion routes define it.

Fields that this server does not know are ignored, as clients send many that change nothing here (``store``,
``metadata``, ``service_tier``). Fields that would change the answer and cannot be honoured are refused, see
:data:`REFUSED`: an answer that silently differs from what was asked for is worse than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from sevenfold.chat.conversation import Message
from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.refusal import Refusal
from sevenfold.generate.engine import Answer, Sampling

REFUSED: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False, 0),
    "top_logprobs": (0,),
    "echo": (False,),
    "suffix": ("",),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "response_format": ({"type": "text"},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "audio": (),
}
"""Fields that change the answer in ways the server does not offer, with the values that ask for nothing."""


class StreamOptions(BaseModel):
    """How a stream is sent."""

    include_usage: bool = False


class Request(BaseModel):
    """What both routes take."""

    model: str
    max_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    stop: str | list[str] | None = Field(None, max_length=16)
    seed: int | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    user: str | None = None

    def sampling(self, settings: Serving) -> Sampling:
        """How the next token is chosen; the server's settings stand where the request says nothing."""
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return Sampling(
            max_new_tokens=self.limit or settings.max_new_tokens,
            temperature=settings.temperature if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=tuple(stop for stop in stops if stop),
        )

    @property
    def limit(self) -> int | None:
        """Most tokens of the answer."""
        return self.max_tokens

    @property
    def with_usage(self) -> bool:
        """Whether a stream ends with the counts of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage


class Part(BaseModel):
    """A piece of a message's content; only text can be read."""

    type: Literal["text"]
    text: str


class Turn(BaseModel):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None

    def message(self) -> Message:
        """The message; OpenAI's newer name for the system's role is read as ``system``."""
        content = self.content or ""
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        return Message("system" if self.role == "developer" else self.role, text)


class ChatRequest(Request):
    """The body of ``/v1/chat/completions``."""

    messages: list[Turn] = Field(min_length=1)
    max_completion_tokens: int | None = Field(None, ge=1)

    @property
    def limit(self) -> int | None:
        """Most tokens of the answer, by its newer or its older name."""
        return self.max_completion_tokens or self.max_tokens


class ClassifyRequest(Request):
    """The body of ``/v1/classify``: one text, or a conversation."""

    input: str | None = None
    messages: list[Turn] | None = None

    @property
    def turns(self) -> list[Message]:
        """What is asked.

        Raises:
            Refusal: There is neither a text nor a conversation, or both.
        """
        if (self.input is None) == (not self.messages):
            raise Refusal(400, "send either input, a text, or messages", "invalid_value", "input")
        if self.messages:
            return [turn.message() for turn in self.messages]
        return [Message("user", self.input or "")]


class CompletionRequest(Request):
    """The body of ``/v1/completions``: one prompt, text or token ids."""

    prompt: str | list[int] | list[str]

    @property
    def only_prompt(self) -> str | list[int]:
        """The one prompt.

        Raises:
            Refusal: There are several.
        """
        if isinstance(self.prompt, list) and self.prompt and isinstance(self.prompt[0], str):
            if len(self.prompt) > 1:
                raise Refusal(400, f"{len(self.prompt)} prompts; send one a request", "unsupported_value", "prompt")
            return self.prompt[0]
        return self.prompt  # type: ignore[return-value]


R = TypeVar("R", bound=Request)


def read(kind: type[R], body: Any) -> R:
    """The request in a body.

    Raises:
        Refusal: The body is no object, a field is wrong, or asks for what the server does not offer.
    """
    if not isinstance(body, Mapping):
        raise Refusal(400, f"the body is a JSON {type(body).__name__}, expected an object", "invalid_body")
    for name, harmless in REFUSED.items():
        value = body.get(name)
        if value is not None and value not in harmless:
            message = f"{name} = {value!r} is not supported"
            raise Refusal(400, message[:300] + "; leave it out", "unsupported_parameter", name)
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refusal(400, f"{place}: {first['msg']}", "invalid_value", place) from None


def usage(answer: Answer) -> dict[str, int]:
    """The counts of tokens."""
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


class Chat:
    """The shapes of a chat answer."""

    prefix, whole, chunk = "chatcmpl-", "chat.completion", "chat.completion.chunk"

    @classmethod
    def found(cls, answer: Answer) -> dict[str, Any]:
        """What a whole answer brings beside its head."""
        return {"choices": [cls.choice(answer.text, answer.finish_reason)]}

    @staticmethod
    def choice(text: str, finish_reason: str) -> dict[str, Any]:
        """A whole answer."""
        message = {"role": "assistant", "content": text, "refusal": None}
        return {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}

    @staticmethod
    def piece(text: str | None, finish_reason: str | None) -> dict[str, Any]:
        """A piece of a stream; the first has no text and names the role."""
        delta = {"role": "assistant", "content": ""} if text is None else {"content": text} if text else {}
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


class Completion:
    """The shapes of a completion."""

    prefix, whole, chunk = "cmpl-", "text_completion", "text_completion"

    @classmethod
    def found(cls, answer: Answer) -> dict[str, Any]:
        """What a whole answer brings beside its head."""
        return {"choices": [cls.choice(answer.text, answer.finish_reason)]}

    @staticmethod
    def choice(text: str, finish_reason: str) -> dict[str, Any]:
        """A whole answer."""
        return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish_reason}

    @staticmethod
    def piece(text: str | None, finish_reason: str | None) -> dict[str, Any]:
        """A piece of a stream."""
        return {"index": 0, "text": text or "", "logprobs": None, "finish_reason": finish_reason}


class Classification(Chat):
    """The shapes of a classification, which is never streamed."""

    prefix, whole = "classify-", "classification"

    @classmethod
    def found(cls, answer: Answer) -> dict[str, Any]:
        """The label, and the probability of each."""
        probabilities = {label: round(share, 6) for label, share in answer.labels.items()}
        return {"data": [{"index": 0, "label": answer.text, "probabilities": probabilities}]}
