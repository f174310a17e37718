"""What a run ran on: machine, system, versions; enough to say later why a figure differs."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psutil

from sevenfold.disk import nearest_folder
from sevenfold.setup import devices, limits

PACKAGES = (
    "sevenfold",
    "torch",
    "transformers",
    "tokenizers",
    "safetensors",
    "accelerate",
    "numpy",
    "pyarrow",
    "pydantic",
    "xllamacpp",
)

INTERESTING_FLAGS = frozenset({"avx2", "avx512f", "avx512_vnni", "amx_int8", "asimd", "sve", *devices.BF16_FLAGS})


def take(folder: Path, device: str) -> dict[str, Any]:
    """A snapshot of the machine, JSON-serialisable.

    Args:
        folder: The run's folder, for the disk's free space.
        device: The chosen device; a GPU is described when it is one.
    """
    return {
        "processor": processor(),
        "cores": psutil.cpu_count(logical=False),
        "logical_processors": os.cpu_count(),
        "processor_features": sorted(devices.cpu_flags() & INTERESTING_FLAGS),
        "memory_bytes": limits.total_memory(),
        "available_memory_bytes": limits.available_memory(),
        "disk_free_bytes": shutil.disk_usage(nearest_folder(folder)).free,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions(PACKAGES),
        "gpu": gpu() if device == "cuda" else None,
        "git": git_state(Path.cwd()),
    }


def processor(cpuinfo: Path = devices.CPUINFO) -> str:
    """The processor's name."""
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of the packages that are installed."""
    found = {name: version(name) for name in packages}
    return {name: value for name, value in found.items() if value is not None}


def version(package: str) -> str | None:
    """A package's version, or None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def gpu() -> dict[str, Any]:
    """The first GPU as torch sees it."""
    import torch

    facts = torch.cuda.get_device_properties(0)
    return {
        "name": facts.name,
        "count": torch.cuda.device_count(),
        "memory_bytes": facts.total_memory,
        "capability": f"{facts.major}.{facts.minor}",
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """The commit of the repository around a folder and whether files differ from it, or None outside of one."""
    commit = git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "changed": bool(git(folder, "status", "--porcelain", "--untracked-files=no"))}


def git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None where it is not installed or refuses."""
    if shutil.which("git") is None:
        return None
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
