"""One request and its answer: what the server tells whoever watches it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that reached the model's routes, answered or refused.

    Args:
        id: The request's name, also in the answer.
        time: When it came, seconds since 1970 UTC.
        model: The model that was asked for.
        messages: What was asked, ``{"role", "content"}`` each; a plain completion is one message of role ``prompt``.
        answer: What was answered, as far as it went.
        finish_reason: ``stop``, ``length``; None when there is no whole answer.
        prompt_tokens: Tokens of the prompt; 0 when it was refused before it was counted.
        completion_tokens: Tokens that were written.
        seconds: From its arrival to the end, waiting included.
        first_token_seconds: From its arrival to the first piece of text.
        status: The HTTP status; 499 when the client hung up.
        error: Why it failed.
        user: The request's ``user``.
        project: The request's ``OpenAI-Project`` header.
    """

    id: str
    time: float
    model: str
    messages: list[dict[str, str]] = field(default_factory=list)
    answer: str = ""
    finish_reason: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    first_token_seconds: float | None = None
    status: int = 200
    error: str | None = None
    user: str | None = None
    project: str | None = None

    def to_line(self) -> str:
        """The exchange as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)


Observe = Callable[[Exchange], object]
"""Called once for each request when it has ended, in the server's thread: it must be quick. What it gives is unused."""
