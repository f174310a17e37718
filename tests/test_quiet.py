"""Silence for transformers, and only inside the block."""

from __future__ import annotations

import warnings

import pytest

from sevenfold.quiet import quiet


def test_bars_and_messages_come_back_behind_the_block() -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with quiet():
        assert logging.get_verbosity() == logging.ERROR
        assert not logging.is_progress_bar_enabled()
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_renamings_are_not_the_users_business_but_other_warnings_are() -> None:
    with quiet():
        warnings.warn("renamed", FutureWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="look"), quiet():
        warnings.warn("look", UserWarning, stacklevel=1)
