"""The server of a page: this machine only, one secret address, nothing but the page and its answers.

Python's own server suffices: one person works at a page, and each answer is one small request.
"""

from __future__ import annotations

import json
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sevenfold.errors import MachineError, SevenfoldError
from sevenfold.page.desk import Desk

HERE = Path(__file__).parent
HOST = "127.0.0.1"
BODY = 1 << 20
"""Bytes of a request at most."""
SECONDS = 30
"""How long a connection may say nothing."""
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class PageServer(ThreadingHTTPServer):
    """A server that listens, and serves once :meth:`serve_forever` is called.

    Args:
        desk: The work.
        port: Where to listen on this machine; 0: any free port.

    Raises:
        MachineError: The port cannot be used.
    """

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, desk: Desk[Any], port: int = 0) -> None:
        self.desk, self.token = desk, secrets.token_urlsafe(24)
        # One thing at a time: an answer and what it leaves to do belong together.
        self.one = threading.Lock()
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise MachineError(
                f"cannot listen: {reason}", where=f"{HOST}:{port}", next_step="leave --port away: a free one is taken"
            ) from error

    @property
    def address(self) -> str:
        """Where the page is; who does not know it gets nothing."""
        return f"http://{HOST}:{self.server_address[1]}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is no error of ours; everything else is told by the base class."""
        if not isinstance(sys.exception(), ConnectionError | socket.timeout):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: PageServer
    timeout = SECONDS
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "sevenfold", ""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the address with its secret does not belong in a terminal's history."""

    def do_GET(self) -> None:
        """The page, what is asked, and the rows."""
        asked = self.asked()
        if asked is None:
            return
        if asked == "":
            nonce = secrets.token_urlsafe(16)
            page = source(self.server.desk.page, "server.js").replace("NONCE", nonce)
            self.reply(HTTPStatus.OK, page.encode(), "text/html", nonce)
        elif asked == "task":
            self.answer(self.server.desk.task)
        elif asked.startswith("row/") and asked[4:].isascii() and asked[4:].isdigit() and len(asked) < 16:
            self.answer(lambda: self.server.desk.row(int(asked[4:])))
        else:
            self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def do_POST(self) -> None:
        """An answer, or taking one back."""
        asked = self.asked()
        sent = self.body() if asked is not None else None
        if sent is None:
            return
        if asked == "answer":
            self.answer(lambda: self.server.desk.answer(sent))
        elif asked == "undo":
            self.answer(self.server.desk.undo)
        else:
            self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def asked(self) -> str | None:
        """The part of the address behind the secret; None when the request was refused.

        A page of another site can send requests to this machine, under its own name if it controls a name server; it
        knows neither the host that we answer to nor the secret.
        """
        port = self.server.server_address[1]
        own = [f"{HOST}:{port}", f"localhost:{port}"]
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in own or (origin and origin not in [f"http://{name}" for name in own]):
            self.refuse(HTTPStatus.MISDIRECTED_REQUEST, "this page is not served under that name")
            return None
        token, slash, rest = self.path.removeprefix("/").partition("/")
        if not slash or not secrets.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()):
            self.refuse(HTTPStatus.FORBIDDEN, "open the address that the terminal shows")
            return None
        return rest

    def body(self) -> dict[str, Any] | None:
        """The JSON object that was sent; None when the request was refused."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Content-Type", "").split(";")[0] != "application/json" or not length.isdigit():
            self.refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "JSON is expected")
            return None
        if int(length) > BODY:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "that is too long")
            return None
        try:
            sent = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            sent = None
        if not isinstance(sent, dict):
            self.refuse(HTTPStatus.BAD_REQUEST, "one JSON object is expected")
            return None
        return sent

    def answer(self, work: Any) -> None:
        """Reply with what the desk says, or with its error."""
        try:
            with self.server.one:
                found = work()
        except SevenfoldError as error:
            code = HTTPStatus.INTERNAL_SERVER_ERROR if isinstance(error, MachineError) else HTTPStatus.BAD_REQUEST
            self.refuse(code, str(error))
            return
        self.reply(HTTPStatus.OK, as_bytes(found), "application/json")

    def refuse(self, code: HTTPStatus, problem: str) -> None:
        """Reply with an error; what the client still sends is not read, so the connection ends."""
        self.close_connection = True
        self.reply(code, as_bytes({"error": problem}), "application/json")

    def reply(self, code: HTTPStatus, body: bytes, kind: str, nonce: str = "") -> None:
        """Send a whole reply."""
        self.send_response(code)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        policy = POLICY.format(nonce=nonce) if nonce else "default-src 'none'; frame-ancestors 'none'"
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def as_bytes(value: object) -> bytes:
    """JSON that every browser reads; half of a surrogate pair in a text stays escaped."""
    return json.dumps(value).encode()


@cache
def source(folder: Path, transport: str) -> str:
    """A whole page: its own ``page.html``, ``page.css`` and ``page.js`` behind the style and the script of all pages.

    Args:
        folder: Where the page's own parts are.
        transport: The script that carries answers: ``server.js``, or a page's own.
    """
    style = read(HERE / "shell.css") + read(folder / "page.css")
    carrier = next(place / transport for place in (HERE, folder) if (place / transport).is_file())
    script = "\n".join((read(HERE / "shell.js"), read(carrier), read(folder / "page.js")))
    return read(folder / "page.html").replace("STYLE", style).replace("SCRIPT", script)


def read(path: Path) -> str:
    """A part of a page; one that has no style of its own has no file."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@contextmanager
def background(desk: Desk[Any]) -> Iterator[PageServer]:
    """A server on a free port, in a thread.

    Args:
        desk: The work.

    Yields:
        The server.
    """
    server = PageServer(desk)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
