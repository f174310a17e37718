"""Ctrl-C and SIGTERM end a training run between two steps, with everything saved."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from sevenfold.errors import Interrupted

__all__ = ["Interrupted", "Request", "requests"]


class Request:
    """Whether a stop was asked for, and by which signal."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def take(self, number: int, frame: FrameType | None) -> None:
        """Remember the first signal; a second one ends the process at once."""
        self.signal = signal.Signals(number)
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@contextlib.contextmanager
def requests() -> Iterator[Request]:
    """Turn SIGINT and SIGTERM into a request while the block runs (in the main thread; elsewhere nothing changes).

    A request that came when the block had nothing left to stop is passed on behind it: all of the work is to stop.
    """
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request.take) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if request.signal is not None:
        signal.raise_signal(request.signal)
