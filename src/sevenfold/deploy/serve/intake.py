"""A request's body into a call: read, checked against the model, turned into the ids that training saw."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request as Web

from sevenfold.deploy.serve.call import Call
from sevenfold.deploy.serve.protocol import ChatRequest, ClassifyRequest, CompletionRequest, Request, read
from sevenfold.deploy.serve.refusal import Refusal
from sevenfold.errors import ModelError
from sevenfold.generate.embeddings import EmbeddingEngine
from sevenfold.generate.labels import LabelEngine


async def body_of(web: Web, limit: int) -> Any:
    """The JSON of a body; it is read no further than the limit.

    Raises:
        Refusal: It is too large, or not JSON.
    """
    held = bytearray()
    async for chunk in web.stream():
        held += chunk
        if len(held) > limit:
            raise Refusal(413, f"the body is larger than {limit:,} bytes", "body_too_large")
    try:
        return json.loads(held)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is not JSON: {error}", "invalid_json") from None


async def take_chat(call: Call, body: Any) -> Request:
    """A chat request into its call: the ids that training saw."""
    request = read(ChatRequest, body)
    messages = [turn.message() for turn in request.messages]
    await fill(
        call, request, [message.as_dict() for message in messages], lambda: call.desk.engine.encoder.prompt(messages)
    )
    return request


async def take_classify(call: Call, body: Any) -> Request:
    """A text to classify into its call: a text alone is what the user says."""
    request = read(ClassifyRequest, body)
    messages, engine = request.turns, call.desk.engine
    if not isinstance(engine, LabelEngine):
        message = "this model writes its answers and has no labels; ask /v1/chat/completions"
        raise Refusal(400, message, "unsupported_route")
    if request.stream:
        raise Refusal(400, "a label is not streamed; leave stream out", "unsupported_parameter", "stream")
    said = [message.as_dict() for message in messages]
    await fill(call, request, said, lambda: engine.encoder.prompt(messages))
    return request


async def take_completion(call: Call, body: Any) -> Request:
    """A plain completion into its call: text is tokenised as it stands; virtual tokens alone are put before it."""
    request = read(CompletionRequest, body)
    prompt = request.only_prompt
    encoder = call.desk.engine.encoder
    text = prompt if isinstance(prompt, str) else f"{len(prompt)} token ids"
    make = (lambda: encoder.encode(prompt)) if isinstance(prompt, str) else (lambda: known(prompt, call))
    await fill(call, request, [{"role": "prompt", "content": text}], lambda: encoder.led(make()))
    return request


async def fill(
    call: Call, request: Request, messages: list[dict[str, str]], make_prompt: Callable[[], list[int]]
) -> None:
    """Put what was asked into the call, checked against the model and its context.

    Raises:
        Refusal: Another model, a template that refuses, or a prompt that leaves no room.
    """
    call.name, call.user, call.messages = request.model, request.user, messages
    if isinstance(call.desk.engine, EmbeddingEngine):
        message = "this model gives vectors of texts and no answers; ask /v1/embeddings"
        raise Refusal(400, message, "unsupported_route")
    call.name = call.desk.names.listed(request.model)
    call.sampling = request.sampling(call.desk.settings)
    try:
        call.prompt = await asyncio.get_running_loop().run_in_executor(call.desk.encoding, make_prompt)
        call.engine.room(call.prompt, call.sampling)
    except ModelError as error:
        code = "context_length_exceeded" if len(call.prompt) >= call.engine.context else "invalid_prompt"
        raise Refusal(400, " ".join(str(error).split()), code, "messages") from None


def known(ids: list[int], call: Call) -> list[int]:
    """Token ids that the tokenizer has.

    Raises:
        Refusal: One is none.
    """
    count = len(call.desk.engine.encoder.tokenizer)
    wrong = [token for token in ids if not 0 <= token < count]
    if wrong:
        raise Refusal(400, f"{wrong[0]} is no token id, expected 0 to {count - 1}", "invalid_value", "prompt")
    return ids


def check_key(header: str | None, key: str | None) -> None:
    """Let in who knows the key.

    Raises:
        Refusal: The key is missing or wrong.
    """
    if key is None:
        return
    given = (header or "").removeprefix("Bearer ").strip()
    if not hmac.compare_digest(given.encode(), key.encode()):
        problem = "the key is wrong" if given else "no key; send Authorization: Bearer KEY"
        raise Refusal(401, problem, "invalid_api_key")
