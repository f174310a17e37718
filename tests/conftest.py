"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sevenfold.cache import VARIABLE, root
from tests import rows, tiny, whole
from tests.page.browser import browser

__all__ = ["browser"]

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SWEPT = pytest.StashKey[int]()
"""How many tests this process began."""
SWEPT_EVERY = 50


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Take what lives long out of the collector's sight.

    Every training collects garbage before it measures memory. With all libraries of the suite in one process that
    takes a third of a second, longer than a tiny model's training.
    """
    item.config.stash[SWEPT] = item.config.stash.get(SWEPT, -1) + 1
    if item.config.stash[SWEPT] % SWEPT_EVERY == 0:
        gc.unfreeze()
        gc.collect()
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def suite_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache for the whole suite; only what is fetched is shared with the user's own."""
    own, cache = root(), tmp_path_factory.mktemp("cache")
    for name in ("models", "downloads"):
        (own / name).mkdir(parents=True, exist_ok=True)
        (cache / name).symlink_to(own / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(cache))
        yield cache


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model in Hugging Face's layout; do not write into it."""
    return tiny.make_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_model(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory):
    """The tiny model as the stage ``load`` gives it."""
    from sevenfold.load.model import Card, Model

    folder = tmp_path_factory.mktemp("2-load")
    tiny.make_tokenizer(folder / "tokenizer")
    sizes = {"layers": 2, "hidden": 64, "intermediate": 128, "heads": 4, "key_value_heads": 2}
    card = Card(name="tiny", architecture="LlamaForCausalLM", context=512, vocabulary=400, **sizes)
    return Model(card=card, weights=tiny_weights, stop_ids=[2]).save(folder)


@pytest.fixture(scope="session")
def tiny_encoder_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny encoder in Hugging Face's layout; do not write into it."""
    return tiny.make_encoder(tmp_path_factory.mktemp("tiny-encoder"))


@pytest.fixture(scope="session")
def tiny_encoder(tiny_encoder_weights: Path, tmp_path_factory: pytest.TempPathFactory):
    """The tiny encoder as the stage ``load`` gives it."""
    from sevenfold.load.section import LoadSection
    from sevenfold.load.stage import load
    from sevenfold.record import Entry

    return load(LoadSection(model=str(tiny_encoder_weights)), Entry(tmp_path_factory.mktemp("2-load-encoder")))


@pytest.fixture(scope="session")
def tiny_teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of the tiny one's family: other weights, and a vocabulary padded with ten more rows."""
    return tiny.make_model(tmp_path_factory.mktemp("tiny-teacher"), seed=1, vocabulary=410)


@pytest.fixture(scope="session")
def tiny_pupil(tiny_weights: Path, tiny_teacher: Path, tmp_path_factory: pytest.TempPathFactory):
    """The tiny model with a teacher, as the stage ``load`` gives it."""
    from sevenfold.load.section import LoadSection
    from sevenfold.load.stage import load
    from sevenfold.record import Entry

    section = LoadSection(model=str(tiny_weights), teacher=str(tiny_teacher))
    return load(section, Entry(tmp_path_factory.mktemp("2-load")))


@pytest.fixture
def environment(tmp_path: Path):
    """A float32 CPU environment with one thread."""
    from sevenfold.setup.environment import Environment

    return Environment(
        device="cpu", precision="float32", reason="test", seed=17, threads=1, deterministic=True, machine={}
    ).save(tmp_path)


@pytest.fixture
def dataset(tmp_path: Path):
    """Twenty training, six validation and six test rows, as the stage ``prepare`` gives them."""
    return rows.make_dataset(tmp_path / "1-prepare")


@pytest.fixture(scope="session")
def finished(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows, a recipe and its finished run, ``runs/small``; do not write into it."""
    folder = tmp_path_factory.mktemp("finished")
    whole.write_rows(folder / "rows.jsonl")
    whole.write_recipe(folder, tiny_weights)
    with contextlib.chdir(folder):
        called = whole.sevenfold("run", "small.yaml")
    assert called.code == 0, called.err
    return folder


@pytest.fixture
def workshop(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all that, which is the folder of every call."""
    folder = tmp_path / "workshop"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for one test, in this process and in those that it starts."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("SEVENFOLD_CACHE", str(cache))
    return cache
