"""The routes: OpenAI's chat completions, completions and models, labels, health and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.requests import Request as Web
from starlette.responses import Response

from sevenfold.deploy.serve.call import Call, Desk, log
from sevenfold.deploy.serve.embed import embed
from sevenfold.deploy.serve.intake import body_of, check_key, take_chat, take_classify, take_completion
from sevenfold.deploy.serve.protocol import Chat, Classification, Completion, Request
from sevenfold.deploy.serve.refusal import HUNG_UP, Refusal

POLL_SECONDS = 0.2


def desk_of(web: Web) -> Desk:
    """What all requests share."""
    desk: Desk = web.app.state.desk
    return desk


async def allowed(web: Web) -> None:
    """Let in who knows the key."""
    check_key(web.headers.get("Authorization"), web.app.state.key)


open_routes = APIRouter()
routes = APIRouter(dependencies=[Depends(allowed)])


@open_routes.get("/health")
async def health(web: Web) -> dict[str, str]:
    """The server answers; needs no key."""
    desk = desk_of(web)
    return {"status": "ok", "model": desk.names.model, "engine": desk.engine.name}


@routes.get("/metrics")
async def counters(web: Web) -> PlainTextResponse:
    """Counters in Prometheus' text form."""
    return PlainTextResponse(web.app.state.metrics.text(), media_type="text/plain; version=0.0.4")


@routes.get("/v1/models")
async def models(web: Web) -> dict[str, Any]:
    """The model, and each of its adapters."""
    return {"object": "list", "data": desk_of(web).names.cards()}


@routes.get("/v1/models/{name:path}")
async def one_model(web: Web, name: str) -> dict[str, Any]:
    """A model by its name."""
    names = desk_of(web).names
    return names.card(names.listed(name))


@routes.post("/v1/chat/completions")
async def chat(web: Web) -> Response:
    """Answer a conversation."""
    return await serve(web, Call(desk_of(web), Chat, web.headers.get("OpenAI-Project")), take_chat)


@routes.post("/v1/classify")
async def classify(web: Web) -> Response:
    """The label of a text, with the probability of each."""
    return await serve(web, Call(desk_of(web), Classification, web.headers.get("OpenAI-Project")), take_classify)


@routes.post("/v1/embeddings")
async def embeddings(web: Web) -> Response:
    """The vectors of some texts."""
    return await embed(web, desk_of(web), web.headers.get("OpenAI-Project"))


@routes.post("/v1/completions")
async def completions(web: Web) -> Response:
    """Continue a text."""
    return await serve(web, Call(desk_of(web), Completion, web.headers.get("OpenAI-Project")), take_completion)


async def serve(web: Web, call: Call, take: Callable[[Call, Any], Awaitable[Request]]) -> Response:
    """Read, check, answer; whatever happens, the observer is told once."""
    try:
        request = await take(call, await body_of(web, call.desk.settings.max_body_bytes))
        if request.stream:
            await call.enter()
            return StreamingResponse(call.events(request), media_type="text/event-stream")
        if not await collected(call, web):
            call.hung_up()
            return JSONResponse(None, HUNG_UP)
        call.tell()
        return JSONResponse(call.whole())
    except Refusal as refusal:
        call.tell(refusal.status, refusal.message)
        raise
    except Exception as error:
        log.exception("request %s failed", call.id)
        call.tell(500, repr(error))
        raise Refusal(500, "the engine failed; the server's log has the reason", "engine_failed") from error


async def collected(call: Call, web: Web) -> bool:
    """Run a call to its end; False when the client hung up first, which stops it."""

    async def run() -> None:
        await call.enter()
        async for _ in call.pieces():
            pass

    async def hung_up() -> None:
        while not await web.is_disconnected():
            await asyncio.sleep(POLL_SECONDS)

    work, watch = asyncio.create_task(run()), asyncio.create_task(hung_up())
    await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
    watch.cancel()
    if not work.done():
        work.cancel()
        return False
    await work
    return True
