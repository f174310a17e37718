from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from sevenfold.errors import ModelError
from sevenfold.load import weights as files


def test_shards_are_found_by_their_index(weights):
    tensors = load_file(weights / "model.safetensors")
    names = sorted(tensors)
    whole = files.size(weights)
    (weights / "model.safetensors").unlink()
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for part, members in parts.items():
        save_file({name: tensors[name].bfloat16() for name in members}, weights / part)
    index = {"weight_map": {name: part for part, members in parts.items() for name in members}}
    (weights / "model.safetensors.index.json").write_text(json.dumps(index))
    (weights / "unrelated.safetensors").write_bytes(b"")
    assert [path.name for path in files.files(files.checked(weights))] == ["a.safetensors", "b.safetensors"]
    assert files.stored_dtype(weights) == "bfloat16"
    assert files.size(weights) < 0.6 * whole


def test_cut_short(weights):
    path = weights / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError) as caught:
        files.checked(weights)
    assert "as the file's header says" in str(caught.value)
    assert caught.value.where == str(path)


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"\x04\0\0\0\0\0\0\0nope"])
def test_not_safetensors(weights, content):
    (weights / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match="the weights cannot be read"):
        files.checked(weights)


def test_a_missing_shard(weights):
    index = {"weight_map": {"a": "gone.safetensors"}}
    (weights / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError) as caught:
        files.checked(weights)
    assert caught.value.where.endswith("gone.safetensors")


def test_pickles_are_refused(weights):
    torch.save({}, weights / "pytorch_model.bin")
    (weights / "model.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        files.checked(weights)
    assert "pytorch_model.bin" in str(caught.value)
    assert "can run code" in str(caught.value)


def test_no_weights(weights):
    (weights / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="there are no weights"):
        files.checked(weights)


def test_no_model_at_all(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ModelError) as caught:
        files.checked(tmp_path)
    assert "there is no config.json" in str(caught.value)
    assert caught.value.alternatives[-1] == "notes.txt"


def test_an_adapter_names_its_base(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "owner/base"}))
    with pytest.raises(ModelError, match=r"load\.model: owner/base"):
        files.checked(tmp_path)
