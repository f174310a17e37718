"""Every test of loading has its own cache."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sevenfold.load.section import LoadSection
from sevenfold.load.stage import load
from sevenfold.record import Entry


@pytest.fixture(autouse=True)
def own_cache(own_cache: Path) -> Path:
    return own_cache


@pytest.fixture
def weights(tiny_weights: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may spoil."""
    return shutil.copytree(tiny_weights, tmp_path / "mine")


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    return Entry(tmp_path / "2-load")


@pytest.fixture
def loaded(entry: Entry):
    """The stage, with the section's fields as arguments."""
    return lambda **fields: load(LoadSection(**fields), entry)


@pytest.fixture
def edit():
    """Change keys of a JSON file; None removes a key."""

    def change(path: Path, **values: object) -> None:
        kept = {**json.loads(path.read_text()), **values}
        path.write_text(json.dumps({key: value for key, value in kept.items() if value is not None}))

    return change
