"""Silence for other libraries' bars, reports and notices; ours are the ones that a user reads."""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def quiet() -> Iterator[None]:
    """No bars, no messages below an error and no notices of its own renamings from transformers inside the block."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def import_bitsandbytes() -> ModuleType:
    """Import bitsandbytes; wherever PEFT is imported, this comes first, for PEFT imports it where it is installed.

    Left to itself, it downloads a kernel and runs it where the package ``kernels`` is installed, and complains where it
    is not. Nothing here uses that kernel, and nobody asked for the network: the import is made in silence, as if there
    was no such package.

    Raises:
        ImportError: It is not installed.
    """
    logger = logging.getLogger("bitsandbytes.backends.cpu.ops")
    modules: dict[str, Any] = sys.modules
    level, kernels = logger.level, modules.get("kernels")
    logger.setLevel(logging.ERROR)
    modules["kernels"] = None
    try:
        return importlib.import_module("bitsandbytes")
    finally:
        logger.setLevel(level)
        del modules["kernels"]
        if kernels is not None:
            modules["kernels"] = kernels
