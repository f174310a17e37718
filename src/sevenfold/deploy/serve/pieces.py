"""An engine's blocking stream, read from the event loop, that can be given up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor

from sevenfold.generate.engine import Answer, Engine, Sampling

Item = str | Answer


class Answering:
    """What ``engine.stream`` gives; it starts at once, in a thread.

    Args:
        engine: Who answers.
        prompt: Token ids.
        sampling: How tokens are chosen.
        executor: Threads to wait in.
        ended: Called in the event loop with the seconds it took, when the engine has really stopped.
    """

    def __init__(
        self, engine: Engine, prompt: list[int], sampling: Sampling, executor: Executor, ended: Callable[[float], None]
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.arrived: asyncio.Queue[Item | BaseException] = asyncio.Queue()
        self.given_up = threading.Event()
        started = time.monotonic()
        future = self.loop.run_in_executor(executor, self.work, engine, prompt, sampling)
        future.add_done_callback(lambda _: ended(time.monotonic() - started))

    def work(self, engine: Engine, prompt: list[int], sampling: Sampling) -> None:
        """Read the stream to its end, or until it is given up; closing it stops the engine."""
        stream = engine.stream(prompt, sampling)
        try:
            for item in stream:
                if self.given_up.is_set():
                    break
                self.loop.call_soon_threadsafe(self.arrived.put_nowait, item)
        except Exception as error:  # noqa: BLE001 - it is raised again in the event loop
            self.loop.call_soon_threadsafe(self.arrived.put_nowait, error)
        finally:
            stream.close()

    async def items(self, deadline: float) -> AsyncIterator[Item]:
        """Pieces of text, at last the answer.

        Args:
            deadline: When it has to be done, on the clock of ``time.monotonic``.

        Yields:
            Each piece as it comes.

        Raises:
            TimeoutError: The deadline came first.
        """
        while True:
            item = await asyncio.wait_for(self.arrived.get(), deadline - time.monotonic())
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, Answer):
                return
