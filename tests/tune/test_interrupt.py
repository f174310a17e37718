"""Signals while a block runs: remembered, and never lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from sevenfold.errors import Interrupted
from sevenfold.tune.interrupt import requests


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """SIGINT is not ignored, as it is where a shell started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def stopped(acts: bool) -> None:
    with requests() as request:
        signal.raise_signal(signal.SIGINT)
        if acts:
            assert request.signal == signal.SIGINT
            raise Interrupted("between two steps")


def test_a_signal_is_a_request_that_the_block_can_act_on() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="between two steps"):
        stopped(acts=True)
    assert signal.getsignal(signal.SIGINT) == before


def test_a_request_that_comes_too_late_for_the_block_is_passed_on() -> None:
    with pytest.raises(KeyboardInterrupt):
        stopped(acts=False)


def test_a_block_without_a_signal_passes_nothing_on() -> None:
    with requests() as request:
        pass
    assert request.signal is None


def test_elsewhere_than_in_the_main_thread_nothing_changes() -> None:
    seen = []

    def work() -> None:
        with requests():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
