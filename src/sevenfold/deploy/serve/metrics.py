"""The server's counters in Prometheus' text form."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from sevenfold.deploy.serve.exchange import Exchange
from sevenfold.deploy.serve.places import Places

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120)


class Metrics:
    """What has been asked and answered since the server started."""

    def __init__(self, places: Places) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("sevenfold_requests", "Requests by HTTP status.", ["status"], registry=self.registry)
        self.tokens = Counter("sevenfold_tokens", "Tokens by kind.", ["kind"], registry=self.registry)
        self.seconds = Histogram(
            "sevenfold_request_seconds", "Time of an answered request.", buckets=SECONDS, registry=self.registry
        )
        self.first_token = Histogram(
            "sevenfold_first_token_seconds", "Time to the first text.", buckets=SECONDS, registry=self.registry
        )
        inside = Gauge("sevenfold_requests_inside", "Requests that are answered or wait.", registry=self.registry)
        inside.set_function(lambda: places.inside)

    def observe(self, exchange: Exchange) -> None:
        """Count one request."""
        self.requests.labels(status=str(exchange.status)).inc()
        self.tokens.labels(kind="prompt").inc(exchange.prompt_tokens)
        self.tokens.labels(kind="completion").inc(exchange.completion_tokens)
        if exchange.status == 200:
            self.seconds.observe(exchange.seconds)
        if exchange.first_token_seconds is not None:
            self.first_token.observe(exchange.first_token_seconds)

    def text(self) -> bytes:
        """All counters."""
        return generate_latest(self.registry)
