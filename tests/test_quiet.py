"""Silence for transformers, and only inside the block; bitsandbytes without its download and its notice."""

from __future__ import annotations

import subprocess
import sys
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


TRAP = "def get_kernel(*words, **names):\n    raise SystemExit('downloaded')\n"
"""A package ``kernels`` in the place of the one that downloads and runs code."""


@pytest.mark.parametrize(
    "use",
    [
        "from sevenfold.tune import peft_bridge; peft_bridge.require()",
        "from sevenfold.tune.engine import nf4; nf4.library().quantize_4bit",
        "import sys; sys.modules['kernels'] = sys; from sevenfold import quiet; quiet.import_bitsandbytes(); "
        "assert sys.modules['kernels'] is sys",
    ],
)
@pytest.mark.parametrize("installed", [True, False])
def test_bitsandbytes_is_imported_without_a_word_and_without_kernels(use, installed, tmp_path) -> None:
    if installed:
        (tmp_path / "kernels.py").write_text(TRAP)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {use}; assert 'bitsandbytes' in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
