"""Reference log-probabilities are what the untrained network says of each target, and are computed once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sevenfold import cache
from sevenfold.record import Entry
from sevenfold.tune import references
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import build
from sevenfold.tune.tokens import encoded_split


@pytest.fixture
def given(dataset, tiny_model, environment, tmp_path, own_cache):
    section = TuneSection.model_validate({"batch": 3, "steps": 2, "validation_rows": 4, "tokens_per_pass": 90})
    encoded = {
        split: encoded_split(split, section, dataset, tiny_model, Entry(tmp_path)) for split in ("train", "validation")
    }
    environment.start()
    return section, build(section, tiny_model, environment), encoded, tiny_model, environment, Entry(tmp_path)


def test_they_are_what_the_network_says(given) -> None:
    references.apply(*given)
    section, forward, encoded = given[:3]
    visited = references.visited(section, encoded["train"], 17)
    assert len(visited) == 6
    for row in range(len(encoded["train"])):
        (sequence,) = encoded["train"].row(row)
        batch = pack([sequence])
        if row in visited:
            with torch.no_grad():
                torch.testing.assert_close(batch.columns["reference"], forward(batch), rtol=1e-4, atol=1e-4)
        else:
            # A row that is learnt from without one would stop the training.
            assert torch.isnan(batch.columns["reference"]).all()
    known = [not np.isnan(encoded["validation"].row(row)[0].columns["reference"]).all() for row in range(6)]
    assert known == [True] * 4 + [False] * 2
    assert forward.network.training


def test_a_second_training_takes_them_from_the_cache(given, monkeypatch) -> None:
    references.apply(*given)
    first = np.array(given[2]["train"].columns["reference"])
    monkeypatch.setattr(references, "logprobs", None)
    references.apply(*given)
    np.testing.assert_array_equal(given[2]["train"].columns["reference"], first)
    # The copy of this run stays when the cache goes.
    assert (cache.root() / "references").exists()
