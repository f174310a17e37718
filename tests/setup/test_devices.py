from __future__ import annotations

import pytest

from sevenfold.errors import MachineError
from sevenfold.setup import devices

INTEL = "processor\t: 0\nmodel name\t: Xeon\nflags\t\t: fpu avx2 avx512_bf16 amx_bf16\nbugs\t: x\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16 sve\n"
OLD = "processor\t: 0\nflags\t\t: fpu avx2\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [(INTEL, ("bfloat16", "(amx_bf16)")), (ARM, ("bfloat16", "(bf16)")), (OLD, ("float32", "does not multiply"))],
)
def test_precision_follows_the_processor(tmp_path, monkeypatch, text, expected):
    (tmp_path / "cpuinfo").write_text(text)
    flags = devices.cpu_flags(tmp_path / "cpuinfo")
    monkeypatch.setattr(devices, "cpu_flags", lambda: flags)
    precision, reason = devices.choose_precision("auto", "cpu")
    assert precision == expected[0]
    assert expected[1] in reason


def test_a_slow_choice_is_kept_and_said(monkeypatch):
    monkeypatch.setattr(devices, "cpu_flags", frozenset)
    assert devices.choose_precision("bfloat16", "cpu")[0] == "bfloat16"
    assert "slow" in devices.choose_precision("bfloat16", "cpu")[1]


def test_no_cpuinfo_no_flags(tmp_path):
    assert devices.cpu_flags(tmp_path / "none") == frozenset()


def test_a_device_that_is_not_there():
    absent = next(name for name in ("cuda", "mps") if name not in devices.present())
    with pytest.raises(MachineError) as caught:
        devices.choose(absent)
    assert f"setup.device = '{absent}' is not on this machine" in str(caught.value)
    assert "cpu" in caught.value.alternatives
    assert devices.choose("cpu") == "cpu"


def test_what_torch_says_is_what_is_present():
    import torch

    assert ("cuda" in devices.present()) == torch.cuda.is_available()
    assert devices.choose("auto") == devices.present()[0]
