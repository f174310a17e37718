"""Settings of the libraries under torch: ours where the user set none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sevenfold import cores

STORES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
NAMES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", *STORES)


@pytest.fixture(autouse=True)
def unset(monkeypatch) -> None:
    for name in NAMES:
        # Set first, so that what share() writes is taken away again behind the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_what_the_user_did_not_set_is_set() -> None:
    cores.share()
    assert os.environ["GOMP_SPINCOUNT"] == cores.SPINS
    assert {os.environ[name] for name in STORES} == {cores.PRIMITIVES}


@pytest.mark.parametrize("name", NAMES)
def test_what_the_user_set_stays(name: str, monkeypatch) -> None:
    monkeypatch.setenv(name, "7")
    cores.share()
    assert os.environ[name] == "7"
    assert name in STORES or os.environ.get("GOMP_SPINCOUNT", "7") == "7"


def test_the_settings_are_made_before_torch_could_read_them() -> None:
    code = "import sys; from sevenfold import cores; cores.share(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
