"""What surrounds lm-eval's work: its seeds, silence, the network where it is wanted, and no code of the hub."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import urllib.request
from collections.abc import Iterator
from functools import cache

from sevenfold.quiet import quiet

SEEDS = (0, 1234, 1234, 1234)
"""What lm-eval's own command seeds Python, numpy, torch and the choice of examples with."""
SECONDS = 3.0
"""How long the hub may take to answer."""


@cache
def reachable() -> bool:
    """Whether the hub answers within seconds; asked once, and not at all where Hugging Face's libraries are told so."""
    from huggingface_hub import constants

    return not constants.HF_HUB_OFFLINE and answers(constants.ENDPOINT)


def answers(address: str) -> bool:
    """Whether anyone answers at an address, within :data:`SECONDS` whatever hangs: a look-up of a name has no limit."""
    found = []

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=SECONDS):
            found.append(address)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(SECONDS)
    return bool(found)


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Hugging Face's libraries as with HF_HUB_OFFLINE=1: what is not in their cache fails at once."""
    import datasets
    from huggingface_hub import constants

    before = datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE = before


@contextlib.contextmanager
def own_draws() -> Iterator[None]:
    """Random numbers as lm-eval's command seeds them; the caller's go on afterwards as if nothing had been drawn."""
    import numpy as np
    import torch

    states = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        random.seed(SEEDS[0])
        np.random.seed(SEEDS[1])
        torch.manual_seed(SEEDS[2])
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])


@contextlib.contextmanager
def known_metrics() -> Iterator[None]:
    """The package evaluate as with HF_EVALUATE_OFFLINE=1: its metrics are code of the hub, which is not fetched."""
    from evaluate import config

    before = config.HF_EVALUATE_OFFLINE
    config.HF_EVALUATE_OFFLINE = True
    try:
        yield
    finally:
        config.HF_EVALUATE_OFFLINE = before


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """No bars and no notices of lm-eval and of datasets."""
    import datasets

    loggers = [logging.getLogger(name) for name in ("lm_eval", "datasets")]
    levels, bars = [logger.level for logger in loggers], datasets.are_progress_bars_disabled()
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    datasets.disable_progress_bars()
    try:
        with quiet():
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if not bars:
            datasets.enable_progress_bars()
