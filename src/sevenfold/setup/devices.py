"""Which device computes, and in which precision, each with its reason."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from sevenfold.errors import MachineError

CPUINFO = Path("/proc/cpuinfo")
BF16_FLAGS = ("amx_bf16", "avx512_bf16", "bf16")
"""Processor flags of bfloat16 products: Intel AMX, AVX-512, Arm."""


def choose(wanted: str) -> str:
    """The device for ``setup.device``: ``cpu``, ``cuda`` or ``mps``.

    Raises:
        MachineError: The device that was asked for is not there.
    """
    there = present()
    if wanted == "auto":
        return there[0]
    if wanted not in there:
        raise MachineError(
            f"setup.device = {wanted!r} is not on this machine",
            alternatives=["auto", *there],
            next_step="sevenfold doctor says what torch sees",
        )
    return wanted


def present() -> list[str]:
    """The devices that torch can use, fastest first; ``cpu`` is always the last."""
    # A build for processors alone says so in its version: no need to spend seconds on importing it.
    if sys.platform != "darwin" and importlib.metadata.version("torch").endswith("+cpu"):
        return ["cpu"]
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [*(name for name, there in found.items() if there), "cpu"]


def choose_precision(wanted: str, device: str) -> tuple[str, str]:
    """The type of matrix products and why.

    Args:
        wanted: ``setup.precision``.
        device: What :func:`choose` gave.
    """
    has, reason = has_bfloat16(device)
    if wanted == "auto":
        return ("bfloat16" if has else "float32"), reason
    if wanted == "bfloat16" and not has:
        return wanted, f"asked for, though {reason}: expect it to be slow"
    return wanted, "asked for"


def has_bfloat16(device: str) -> tuple[bool, str]:
    """Whether a device multiplies bfloat16 matrices in hardware, and how that is known."""
    if device == "cuda":
        return cuda_bfloat16()
    if device == "mps":
        return False, "bfloat16 on MPS depends on the chip and system; float32 is right on all"
    flags = cpu_flags()
    found = next((flag for flag in BF16_FLAGS if flag in flags), None)
    if found:
        return True, f"the processor multiplies bfloat16 ({found})"
    return False, "the processor does not multiply bfloat16"


def cuda_bfloat16() -> tuple[bool, str]:
    """Whether the first GPU has bfloat16 (compute capability 8.0 and up; older ones emulate it)."""
    import torch

    name, has = torch.cuda.get_device_name(0), torch.cuda.get_device_capability(0) >= (8, 0)
    return has, f"{name} {'multiplies' if has else 'does not multiply'} bfloat16"


def cpu_flags(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """The processor's features as Linux names them; empty elsewhere."""
    if not cpuinfo.is_file():
        return frozenset()
    for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() in ("flags", "features"):
            return frozenset(value.split())
    return frozenset()
