"""The application: the routes in front of one engine, every error in OpenAI's form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request as Web

from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.call import Desk, log
from sevenfold.deploy.serve.exchange import Exchange, Observe
from sevenfold.deploy.serve.metrics import Metrics
from sevenfold.deploy.serve.names import Names
from sevenfold.deploy.serve.places import Places
from sevenfold.deploy.serve.refusal import Refusal
from sevenfold.deploy.serve.routes import open_routes, routes
from sevenfold.generate.engine import Engine


def create_app(engine: Engine, model: str, settings: Serving, observe: Observe, key: str | None = None) -> FastAPI:
    """The application.

    Args:
        engine: Who answers; the caller closes it.
        model: The name that clients ask for; its adapters are ``model/task``.
        settings: Limits.
        observe: Called once for each request to the model's routes when it has ended.
        key: What clients must send as ``Authorization: Bearer KEY``; None asks for nothing.

    Returns:
        An application for any ASGI server.
    """
    places = Places(settings.at_once, settings.queue)
    metrics = Metrics(places)
    threads = ThreadPoolExecutor(settings.at_once, thread_name_prefix="serve")
    encoding = ThreadPoolExecutor(1, thread_name_prefix="encode")

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        for executor in (threads, encoding):
            executor.shutdown(wait=True, cancel_futures=True)

    app = FastAPI(title="Sevenfold", openapi_url=None, lifespan=life)
    app.state.desk = Desk(
        engine, Names.of(model, engine), settings, places, threads, encoding, watched(observe, metrics.observe)
    )
    app.state.metrics, app.state.key = metrics, key
    app.include_router(open_routes)
    app.include_router(routes)
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, no_route)
    return app


async def refused(_: Web, error: Exception) -> JSONResponse:
    """A refusal in OpenAI's form."""
    assert isinstance(error, Refusal)
    return JSONResponse(error.body(), error.status, error.headers)


async def no_route(web: Web, error: Exception) -> JSONResponse:
    """An address or method that does not exist, in OpenAI's form."""
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {web.method} {web.url.path}"
    return JSONResponse(Refusal(error.status_code, message, "no_route").body(), error.status_code, error.headers)


def watched(observe: Observe, count: Observe) -> Observe:
    """Tell both; an observer that fails is logged and does not spoil the answer."""

    def tell(exchange: Exchange) -> None:
        count(exchange)
        try:
            observe(exchange)
        except Exception:  # noqa: BLE001 - it is logged; a store that is full must not spoil the answer
            log.exception("the observer failed on request %s", exchange.id)

    return tell
