"""How the service did: latency, throughput, errors, tokens, and who asked, over any requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from sevenfold.monitor.window import Window

if TYPE_CHECKING:
    from sevenfold.monitor.store import TrafficStore

CENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Metrics(BaseModel):
    """The figures of a window.

    Args:
        requests: All requests.
        errors: Requests without an answer.
        seconds: ``p50``, ``p95``, ``p99`` of the whole time of answered requests, seconds.
        first_token_seconds: The same to the first token.
        prompt_tokens: Tokens that came in.
        completion_tokens: Tokens that went out.
        span_seconds: From the first request to the last answer.
        requests_per_second: Over the span.
        tokens_per_second: Tokens that went out, over the span.
        by_model: Requests by model; ``by_user`` and ``by_project`` likewise, where the caller said them.
    """

    requests: int
    errors: int
    seconds: dict[str, float | None]
    first_token_seconds: dict[str, float | None]
    prompt_tokens: int
    completion_tokens: int
    span_seconds: float
    requests_per_second: float | None
    tokens_per_second: float | None
    by_model: dict[str, int]
    by_user: dict[str, int]
    by_project: dict[str, int]


def measure(window: Window) -> Metrics:
    """The figures of a window."""
    exchanges, answered = window.exchanges, window.answered
    span = window.end - window.start
    written = sum(exchange.completion_tokens for exchange in exchanges)
    starts = [exchange.first_token_seconds for exchange in answered if exchange.first_token_seconds is not None]
    return Metrics(
        requests=len(exchanges),
        errors=len(exchanges) - len(answered),
        seconds=quantiles([exchange.seconds for exchange in answered]),
        first_token_seconds=quantiles(starts),
        prompt_tokens=sum(exchange.prompt_tokens for exchange in exchanges),
        completion_tokens=written,
        span_seconds=span,
        requests_per_second=len(exchanges) / span if span else None,
        tokens_per_second=written / span if span else None,
        by_model=dict(Counter(exchange.model for exchange in exchanges)),
        by_user=dict(Counter(exchange.user for exchange in exchanges if exchange.user)),
        by_project=dict(Counter(exchange.project for exchange in exchanges if exchange.project)),
    )


def quantiles(values: Sequence[float]) -> dict[str, float | None]:
    """The median, 95th and 99th centile, interpolated; None for no values."""
    import numpy as np

    if not values:
        return dict.fromkeys(CENTILES)
    return {name: float(np.quantile(values, share)) for name, share in CENTILES.items()}


def exposition(store: TrafficStore) -> str:
    """The store's totals in Prometheus' text format, for a collector of text files.

    The server's own ``/metrics`` begins at zero when it is started; these count all traffic that is kept.
    """
    series = {
        "requests": ("requests", "Requests that are kept."),
        "prompt_tokens": ("prompt_tokens", "Tokens that came in."),
        "completion_tokens": ("completion_tokens", "Tokens that went out."),
        "seconds": ("request_seconds", "Time spent on requests, seconds."),
    }
    lines = []
    totals = store.totals()
    for column, (name, meaning) in series.items():
        # A gauge: retention can make it smaller, which no counter may become.
        lines += [f"# HELP sevenfold_traffic_{name} {meaning}", f"# TYPE sevenfold_traffic_{name} gauge"]
        lines += [
            f'sevenfold_traffic_{name}{{model="{escaped(row["model"])}",status="{row["status"]}"}} {row[column]}'
            for row in totals
        ]
    return "\n".join(lines) + "\n"


def escaped(label: str) -> str:
    """A label's value as the text format wants it."""
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
