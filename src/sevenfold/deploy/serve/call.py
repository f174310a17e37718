"""One request on its way through the server."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.exchange import Exchange, Observe
from sevenfold.deploy.serve.names import Names
from sevenfold.deploy.serve.pieces import Answering
from sevenfold.deploy.serve.places import Places
from sevenfold.deploy.serve.protocol import Chat, Classification, Completion, Request, usage
from sevenfold.deploy.serve.refusal import HUNG_UP, Refusal
from sevenfold.generate.engine import Answer, Engine, Sampling

log = logging.getLogger("sevenfold.serve")


@dataclass
class Desk:
    """What all requests share.

    Args:
        engine: Who answers.
        names: What clients may ask for.
        settings: Limits.
        places: Who may enter.
        threads: Where the event loop waits for the engine.
        encoding: One thread that makes prompts: tokenizers are not made for several.
        observe: Told of every request.
    """

    engine: Engine
    names: Names
    settings: Serving
    places: Places
    threads: ThreadPoolExecutor
    encoding: ThreadPoolExecutor
    observe: Observe


@dataclass
class Call:
    """One request: it enters, is answered whole or piece by piece, and is told to the observer once.

    Args:
        desk: What all requests share.
        shape: The form of the answer.
        project: The request's ``OpenAI-Project`` header.
    """

    desk: Desk
    shape: type[Chat] | type[Completion] | type[Classification]
    project: str | None = None
    name: str = ""
    user: str | None = None
    messages: list[dict[str, str]] = field(default_factory=list)
    prompt: list[int] = field(default_factory=list)
    sampling: Sampling = field(default_factory=Sampling)
    parts: list[str] = field(default_factory=list)
    first_token: float | None = None
    answer: Answer | None = None
    answering: Answering | None = None
    told: bool = False

    def __post_init__(self) -> None:
        self.id = self.shape.prefix + uuid.uuid4().hex
        self.time = time.time()
        self.started = time.monotonic()

    @property
    def engine(self) -> Engine:
        """Who answers to the name that was asked for."""
        return self.desk.names.engines[self.name]

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.started

    async def enter(self) -> None:
        """Wait for a place in the engine and start; the place is given back when the engine has stopped.

        Raises:
            Refusal: Too many wait, or the time is over.
        """
        desk = self.desk
        await desk.places.enter(desk.settings.timeout)
        self.answering = Answering(self.engine, self.prompt, self.sampling, desk.threads, desk.places.leave)

    async def pieces(self) -> AsyncIterator[str]:
        """The answer's text piece by piece, behind :meth:`enter`.

        Yields:
            Each piece as it comes.

        Raises:
            Refusal: The time is over.
        """
        assert self.answering is not None
        deadline = self.started + self.desk.settings.timeout
        try:
            async for item in self.answering.items(deadline):
                if isinstance(item, Answer):
                    self.answer = item
                else:
                    self.first_token = self.first_token or self.seconds
                    self.parts.append(item)
                    yield item
        except TimeoutError:
            message = f"the answer took longer than {self.desk.settings.timeout:g} seconds"
            raise Refusal(504, message, "timeout") from None
        finally:
            self.answering.given_up.set()

    def tell(self, status: int = 200, error: str | None = None) -> None:
        """Tell the observer how it ended, once."""
        if self.told:
            return
        self.told = True
        answer = self.answer
        self.desk.observe(
            Exchange(
                id=self.id,
                time=self.time,
                model=self.name,
                messages=self.messages,
                answer=answer.text if answer else "".join(self.parts),
                finish_reason=answer.finish_reason if answer else None,
                prompt_tokens=len(self.prompt),
                completion_tokens=answer.completion_tokens if answer else len(self.parts),
                seconds=self.seconds,
                first_token_seconds=self.first_token,
                status=status,
                error=error,
                user=self.user,
                project=self.project,
            )
        )

    def hung_up(self) -> None:
        """The client closed the connection."""
        self.tell(HUNG_UP, "the client hung up")

    def whole(self) -> dict[str, Any]:
        """The body of an answer that is not streamed."""
        assert self.answer is not None
        return {**self.head(self.shape.whole), **self.shape.found(self.answer), "usage": usage(self.answer)}

    def head(self, kind: str) -> dict[str, Any]:
        """What every object of the answer begins with."""
        return {"id": self.id, "object": kind, "created": int(self.time), "model": self.name}

    async def events(self, request: Request) -> AsyncIterator[str]:
        """The answer as server-sent events; the place is taken already."""

        def event(choices: list[dict[str, Any]], **more: Any) -> str:
            return data({**self.head(self.shape.chunk), "choices": choices, **more})

        try:
            yield event([self.shape.piece(None, None)])
            async for piece in self.pieces():
                yield event([self.shape.piece(piece, None)])
            assert self.answer is not None
            yield event([self.shape.piece("", self.answer.finish_reason)])
            if request.with_usage:
                yield event([], usage=usage(self.answer))
            self.tell()
            yield "data: [DONE]\n\n"
        except Refusal as refusal:
            self.tell(refusal.status, refusal.message)
            yield data(refusal.body())
        except Exception as error:  # the head is sent: an error can only be told inside the stream
            log.exception("request %s failed", self.id)
            self.tell(500, repr(error))
            yield data(Refusal(500, "the engine failed; the server's log has the reason", "engine_failed").body())
        finally:
            self.hung_up()


def data(value: object) -> str:
    """One server-sent event."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
