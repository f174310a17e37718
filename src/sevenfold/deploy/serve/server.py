"""Starting and stopping: one blocking server, or one in the background for as long as it is tried."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sevenfold.console import Console
from sevenfold.deploy.section import Serving
from sevenfold.deploy.serve.exchange import Observe
from sevenfold.errors import MachineError, RecipeError
from sevenfold.generate.engine import Engine

if TYPE_CHECKING:
    from uvicorn import Server

GRACE_SECONDS = 10


def say(place: str) -> None:
    """Say where the service is."""
    Console().say(f"serving at {place}/v1 (Ctrl-C stops)")


def run(engine: Engine, model: str, settings: Serving, observe: Observe, announce: Callable[[str], None] = say) -> None:
    """Serve until SIGTERM or Ctrl-C; running requests are finished first, for up to 10 seconds.

    Args:
        engine: Who answers; it is closed at the end.
        model: The name that clients ask for.
        settings: Address and limits.
        observe: Called once for each request when it has ended.
        announce: Told the address, ``http://127.0.0.1:8000``, once clients can connect.

    Raises:
        MachineError: The port is in use, or the service is not installed.
        RecipeError: The address is open to others and there is no key.
    """
    with engine:
        key = key_of(settings)
        listening = listen(settings.host, settings.port)
        server = server_of(engine, model, settings, observe, key)
        # Clients that come before the server is up wait in the socket's queue.
        listening.listen()
        announce(address(listening))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            server.run(sockets=[listening])
        except (KeyboardInterrupt, SystemExit):
            return


@contextmanager
def background(engine: Engine, model: str, settings: Serving, observe: Observe) -> Iterator[str]:
    """A server on a free port of this machine, in a thread; the engine stays open.

    Args:
        engine: Who answers.
        model: The name that clients ask for.
        settings: Limits; the address is not used.
        observe: Called once for each request when it has ended.

    Yields:
        Its address, ``http://127.0.0.1:PORT``.

    Raises:
        MachineError: It did not start.
    """
    listening = listen("127.0.0.1", 0)
    server = server_of(engine, model, settings, observe, os.environ.get(settings.key_variable))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise MachineError("the server did not start", where=address(listening))
            time.sleep(0.01)
        yield address(listening)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def server_of(engine: Engine, model: str, settings: Serving, observe: Observe, key: str | None) -> Server:
    """A server that is not started yet.

    Raises:
        MachineError: The service's packages are not installed.
    """
    try:
        import uvicorn

        from sevenfold.deploy.serve.app import create_app
    except ImportError as error:
        raise MachineError(f"{error.name} is not installed", next_step="pip install 'sevenfold[deploy]'") from error
    app: Any = create_app(engine, model, settings, observe, key)
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS))


def key_of(settings: Serving) -> str | None:
    """The key that clients must send.

    Raises:
        RecipeError: There is none and others than this machine could reach the server.
    """
    key = os.environ.get(settings.key_variable)
    if not key and not loopback(settings.host):
        raise RecipeError(
            f"{settings.host} can be reached from other machines, and no key is set",
            where="deploy.serve.host",
            expected=f"a key in the environment variable {settings.key_variable}",
            next_step=f"export {settings.key_variable}=$(openssl rand -hex 24), or serve on 127.0.0.1",
        )
    return key or None


def loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        MachineError: The port is in use (a free one is named) or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            free = free_port(host, port)
            raise MachineError(
                f"port {port} is in use", where=f"{host}:{port}", next_step=f"serve on port {free}: --port {free}"
            ) from None
        raise MachineError(
            f"cannot listen: {error.strerror or error}",
            where=f"{host}:{port}",
            next_step="serve on 127.0.0.1 and a port above 1023",
        ) from None
    return listening


def free_port(host: str, port: int) -> int:
    """The next port above ``port`` that nobody uses; any free one when the next hundred are taken."""
    for candidate in [*range(port + 1, min(port + 101, 65536)), 0]:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as trial:
            try:
                trial.bind((host, candidate))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    raise MachineError("no port is free", where=host)


def address(listening: socket.socket) -> str:
    """The address of a socket as clients write it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
