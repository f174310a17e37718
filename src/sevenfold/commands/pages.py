"""A page for people on this machine, served until Ctrl-C."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Any

from sevenfold.console import Console
from sevenfold.errors import RecipeError
from sevenfold.page.desk import Desk
from sevenfold.page.server import PageServer


def until_stopped(
    desk: Desk[Any], port: int, what: str, emit: Callable[[object], None] | None, console: Console
) -> None:
    """Serve a desk's page until Ctrl-C.

    Args:
        desk: What is asked.
        port: Where to listen; 0: any free port.
        what: What a person does with the rows: ``rows to label``.
        emit: Told the address as one object; None: it is said on the console.
        console: Where everything is said.

    Raises:
        MachineError: The port cannot be used.
    """
    server = PageServer(desk, port)
    if emit:
        emit({"address": server.address, "answers": str(desk.answers.path), "rows": len(desk.origins)})
    console.say(f"{len(desk.origins):,} {what}; open {server.address} (Ctrl-C stops)")
    try:
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        console.say("")
    finally:
        server.server_close()


def warn_broken(desk: Desk[Any], console: Console) -> None:
    """Say how many lines of the answers file are none."""
    if desk.answers.broken:
        console.warn(f"{desk.answers.broken:,} lines of {desk.answers.path} are no answers and are passed over")


def named(annotator: str | None) -> str:
    """Who answers; the system's user where no name is given.

    Raises:
        RecipeError: The name is empty.
    """
    if annotator is not None and not annotator.strip():
        raise RecipeError(f"--annotator {annotator!r} is no name")
    return annotator or user()


def user() -> str:
    """The system's user, where it has a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "annotator"
