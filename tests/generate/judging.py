"""A service that judges by a rule, over HTTP in OpenAI's form."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Service:
    """Where it listens, and what it was asked."""

    address: str
    asked: list[dict[str, Any]] = field(default_factory=list)


Says = Callable[[str], tuple[int, str, dict[str, float] | None]]
"""From the question to a status, what is written, and the probabilities of the alternatives to its first token."""


def body(text: str, shares: dict[str, float] | None) -> dict[str, Any]:
    """A reply."""
    alternatives = [
        {"token": token, "logprob": math.log(share), "bytes": None} for token, share in (shares or {}).items()
    ]
    told = [{"token": text, "logprob": 0.0, "bytes": None, "top_logprobs": alternatives}] if shares else None
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
        "logprobs": {"content": told} if told else None,
    }
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "judge", "choices": [choice]}


@contextmanager
def service(says: Says) -> Iterator[Service]:
    """It, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.asked.append({**asked, "key": self.headers["Authorization"], "path": self.path})
            status, text, shares = says(asked["messages"][0]["content"])
            sent = json.dumps(body(text, shares) if status == 200 else {"error": {"message": text}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Service(f"http://127.0.0.1:{server.server_port}/v1")
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
