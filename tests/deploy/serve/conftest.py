"""A real server on a free port in front of the tiny model, and OpenAI's own client."""

from __future__ import annotations

import time
from contextlib import contextmanager

import httpx
import openai
import pytest
import torch

from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.server import background
from sevenfold.generate.engine import Answer
from sevenfold.generate.engines.transformers import TransformersEngine

MODEL = "tiny-tuned"


class SlowEngine(TransformersEngine):
    """The tiny model with a pause before every piece, as a large model would take."""

    name = "slow"
    pause = 0.05
    stopped = 0

    def stream(self, prompt, sampling):
        inner = super().stream(prompt, sampling)
        try:
            for item in inner:
                time.sleep(0 if isinstance(item, Answer) else self.pause)
                yield item
        finally:
            self.stopped += 1
            inner.close()


@pytest.fixture(scope="package")
def engine(tiny_model):
    return TransformersEngine(tiny_model.network(torch.float32), tiny_model.encoder())


@pytest.fixture
def slow(engine):
    return SlowEngine(engine.network, engine.encoder)


class Served:
    """A server's address, what its observer was told, and clients."""

    def __init__(self, address: str, exchanges: list) -> None:
        self.address, self.exchanges = address, exchanges
        self.http = httpx.Client(base_url=address, timeout=60, trust_env=False)

    def client(self, key: str = "none", **options) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=f"{self.address}/v1",
            api_key=key,
            max_retries=0,
            http_client=httpx.Client(trust_env=False, timeout=60),
            **options,
        )

    def last(self, count: int = 1):
        """The newest exchange, when ``count`` have been told."""
        deadline = time.monotonic() + 10
        while len(self.exchanges) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.exchanges) == count
        return self.exchanges[-1]


@contextmanager
def serving(engine, **settings):
    exchanges: list = []
    with background(engine, MODEL, Serving(**settings), exchanges.append) as address:
        yield Served(address, exchanges)


@pytest.fixture
def served(engine):
    with serving(engine, context=256) as served:
        yield served
