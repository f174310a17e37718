"""Texts to vectors, in the form of OpenAI's embeddings."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
import uuid
from typing import Any, Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request as Web
from starlette.responses import Response

from sevenfold.deploy.serve.call import Desk
from sevenfold.deploy.serve.exchange import Exchange
from sevenfold.deploy.serve.intake import body_of
from sevenfold.deploy.serve.refusal import Refusal
from sevenfold.errors import ModelError
from sevenfold.generate.embeddings import EmbeddingEngine

log = logging.getLogger(__name__)


class Texts(BaseModel):
    """The body of ``/v1/embeddings``.

    ``input_type`` is what other services call it: with ``query`` the texts are asked with, else they are to be found.
    ``dimensions`` cuts vectors to their first figures, of length one again where they were.
    """

    model_config = ConfigDict(extra="ignore")

    model: str
    input: str | list[str] = Field(min_length=1)
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(None, ge=1)
    input_type: Literal["query", "document"] = "document"
    user: str | None = None

    @property
    def texts(self) -> list[str]:
        """The texts."""
        return [self.input] if isinstance(self.input, str) else self.input


async def embed(web: Web, desk: Desk, project: str | None) -> Response:
    """Read, check, answer; the observer is told once.

    Raises:
        Refusal: The body is wrong, the model gives no vectors, a text is too long, or the time is over.
    """
    started, moment, asked = time.monotonic(), time.time(), None
    name, tokens, said = desk.names.model, 0, ""
    try:
        asked = read(await body_of(web, desk.settings.max_body_bytes))
        name = desk.names.listed(asked.model)
        engine = vectors_of(desk, name)
        await desk.places.enter(desk.settings.timeout)
        entered = time.monotonic()
        try:
            vectors, tokens = await asyncio.get_running_loop().run_in_executor(desk.threads, work, engine, asked)
        finally:
            desk.places.leave(time.monotonic() - entered)
        said = f"{len(vectors)} vectors of {len(vectors[0])} figures"
        tell(desk, (name, moment, started, project), asked, tokens, said)
        return JSONResponse(body(asked, name, vectors, tokens))
    except Refusal as refusal:
        tell(desk, (name, moment, started, project), asked, tokens, said, refusal.status, refusal.message)
        raise
    except Exception as error:
        log.exception("a request for vectors failed")
        tell(desk, (name, moment, started, project), asked, tokens, said, 500, repr(error))
        raise Refusal(500, "the engine failed; the server's log has the reason", "engine_failed") from error


def read(found: Any) -> Texts:
    """The request in a body.

    Raises:
        Refusal: A field is wrong.
    """
    try:
        return Texts.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refusal(400, f"{place}: {first['msg']}", "invalid_value", place) from None


def vectors_of(desk: Desk, name: str) -> EmbeddingEngine:
    """The engine behind a name.

    Raises:
        Refusal: It gives no vectors.
    """
    engine = desk.names.engines[name]
    if not isinstance(engine, EmbeddingEngine):
        raise Refusal(400, "this model gives no vectors; it was not tuned by embed", "unsupported_route")
    return engine


def work(engine: EmbeddingEngine, asked: Texts) -> tuple[list[list[float]], int]:
    """The vectors, and the texts' tokens.

    Raises:
        Refusal: The model's context does not hold a text, or vectors have fewer figures than asked for.
    """
    try:
        tokens = sum(engine.tokens(text) for text in asked.texts)
        vectors = engine.embed(asked.texts, query=asked.input_type == "query")
    except ModelError as error:
        raise Refusal(400, error.problem, "context_length_exceeded", "input") from None
    width = asked.dimensions
    if width is None:
        return vectors, tokens
    if width > len(vectors[0]):
        raise Refusal(400, f"vectors have {len(vectors[0])} figures", "invalid_value", "dimensions")
    return [cut(vector, width) for vector in vectors], tokens


def cut(vector: list[float], width: int) -> list[float]:
    """The first figures, as long together as all were."""
    length = sum(figure**2 for figure in vector) ** 0.5
    kept = sum(figure**2 for figure in vector[:width]) ** 0.5
    return [figure * length / max(kept, 1e-12) for figure in vector[:width]]


def body(asked: Texts, name: str, vectors: list[list[float]], tokens: int) -> dict[str, Any]:
    """The answer."""
    return {
        "object": "list",
        "model": name,
        "data": [
            {"object": "embedding", "index": index, "embedding": written(vector, asked.encoding_format)}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def written(vector: list[float], form: str) -> list[float] | str:
    """A vector as figures, or as the base64 of float32, little endian."""
    if form == "float":
        return vector
    import numpy as np

    return base64.b64encode(np.array(vector, dtype="<f4").tobytes()).decode()


def tell(
    desk: Desk,
    when: tuple[str, float, float, str | None],
    asked: Texts | None,
    tokens: int,
    said: str,
    status: int = 200,
    error: str | None = None,
) -> None:
    """Tell the observer how it ended."""
    name, moment, started, project = when
    desk.observe(
        Exchange(
            id=f"embed-{uuid.uuid4().hex}",
            time=moment,
            model=name,
            messages=[{"role": "text", "content": text} for text in (asked.texts if asked else [])],
            answer=said,
            finish_reason="stop" if status == 200 else None,
            prompt_tokens=tokens,
            completion_tokens=0,
            seconds=time.monotonic() - started,
            first_token_seconds=None,
            status=status,
            error=error,
            user=asked.user if asked else None,
            project=project,
        )
    )
