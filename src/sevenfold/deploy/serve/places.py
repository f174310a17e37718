"""A bounded number of requests at once and a bounded queue in front of them."""

from __future__ import annotations

import asyncio
import math

from sevenfold.deploy.serve.refusal import Refusal


class Places:
    """Who may enter the engine, in the order of arrival.

    Args:
        at_once: Requests that are answered at the same time.
        queue: Requests that may wait.
    """

    def __init__(self, at_once: int, queue: int) -> None:
        self.at_once, self.queue = at_once, queue
        self.inside = 0
        self.free = asyncio.Semaphore(at_once)
        self.mean_seconds = 1.0

    async def enter(self, timeout: float) -> None:
        """Wait for a place; it is kept until :meth:`leave`.

        Raises:
            Refusal: Too many wait already (429), or none came free in ``timeout`` seconds (503).
        """
        if self.inside >= self.at_once + self.queue:
            raise Refusal(
                429,
                f"the server is busy: {self.at_once} requests are answered and {self.queue} wait",
                "overloaded",
                retry_after=self.wait(),
            )
        self.inside += 1
        try:
            await asyncio.wait_for(self.free.acquire(), timeout)
        except TimeoutError:
            self.inside -= 1
            message = f"no place came free in {timeout:g} seconds"
            raise Refusal(503, message, "timeout", retry_after=self.wait()) from None
        except asyncio.CancelledError:
            self.inside -= 1
            raise

    def leave(self, seconds: float) -> None:
        """Give the place back after ``seconds``."""
        self.inside -= 1
        self.mean_seconds += 0.1 * (seconds - self.mean_seconds)
        self.free.release()

    def wait(self) -> int:
        """Seconds until the queue has probably moved by one."""
        return max(1, math.ceil(self.mean_seconds / self.at_once))
