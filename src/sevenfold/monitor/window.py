"""A window: some requests in a row, oldest first, that are looked at together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.monitor.text import asked

if TYPE_CHECKING:
    from sevenfold.deploy.serve.exchange import Exchange
    from sevenfold.monitor.store import TrafficStore

SERVER_ERROR = 500
"""The first HTTP status that says the server failed; below it, from 400, the request was at fault."""


@dataclass(frozen=True)
class Window:
    """Requests in a row.

    Args:
        exchanges: Requests with their answers, oldest first, at least one.
    """

    exchanges: list[Exchange]

    @property
    def start(self) -> float:
        """When its first request came, seconds since 1970."""
        return self.exchanges[0].time

    @property
    def end(self) -> float:
        """When its last answer was done, seconds since 1970."""
        return max(exchange.time + exchange.seconds for exchange in self.exchanges)

    @property
    def answered(self) -> list[Exchange]:
        """The requests that were answered."""
        return [exchange for exchange in self.exchanges if not failed(exchange)]

    @property
    def prompts(self) -> list[str]:
        """What was asked in every request that could be read, the failed ones included."""
        return [asked(exchange.messages) for exchange in self.exchanges if exchange.messages]


def failed(exchange: Exchange) -> bool:
    """Whether a request got no answer, by whoever's fault."""
    return bool(exchange.error) or exchange.status >= 400


def newest(store: TrafficStore, requests: int, count: int) -> list[Window]:
    """The newest requests cut into windows, counted back from the last request; oldest window first.

    Windows of a number of requests, not of hours: the tests then see as much in a quiet week as in a busy hour. Only
    the oldest window can be short.

    Args:
        store: The traffic.
        requests: Requests in a window.
        count: Windows at most.
    """
    exchanges = list(store.newest(requests * count))
    cuts = list(range(len(exchanges), 0, -requests))[::-1]
    return [Window(exchanges[max(cut - requests, 0) : cut]) for cut in cuts]
