from __future__ import annotations

import shutil

import pytest

from sevenfold.errors import ModelError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def fetched(tmp_path, weights, monkeypatch):
    """The hub's own cache with one model, as an earlier download would have left it; the suite is offline."""
    from huggingface_hub import constants

    repository = tmp_path / "hub" / "models--owner--tiny"
    shutil.copytree(weights, repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


def test_a_hub_name_gives_its_snapshot_and_commit(fetched, loaded, entry):
    model = loaded(model="owner/tiny")
    assert model.revision == COMMIT
    assert model.weights.name == COMMIT
    assert any(COMMIT in note for note in entry.record.notes)


def test_a_hub_name_that_cannot_be_reached(fetched, loaded):
    with pytest.raises(ModelError) as caught:
        loaded(model="owner/gone")
    message = str(caught.value)
    assert "there is no model 'owner/gone'" in message
    assert "smollm2-135m" in message
    assert "check the network" in message
