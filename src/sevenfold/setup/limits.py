"""What this process may use of the machine: processors and memory, a container's limits included."""

from __future__ import annotations

import math
import os
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")


def threads(wanted: int) -> tuple[int, str]:
    """How many threads multiply matrices, and why.

    Args:
        wanted: ``setup.threads``; 0 chooses.
    """
    if wanted:
        return wanted, "asked for"
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if given.isdecimal() and int(given) > 0:
        return int(given), "OMP_NUM_THREADS"
    counts = {"the machine's cores": psutil.cpu_count(logical=False) or os.cpu_count() or 1}
    if hasattr(os, "sched_getaffinity"):
        counts["the processors this process may run on"] = len(os.sched_getaffinity(0))
    quota = cpu_quota()
    if quota is not None:
        counts["the container's processor quota"] = max(1, math.floor(quota))
    reason = min(counts, key=lambda name: counts[name])
    return counts[reason], reason


def cpu_quota(root: Path = CGROUP) -> float | None:
    """Processors that a container may use (cgroup version 2 or 1), or None where there is no limit."""
    both = read(root / "cpu.max").split()
    if len(both) == 2 and both[0] != "max":
        return int(both[0]) / int(both[1])
    quota, period = read(root / "cpu/cpu.cfs_quota_us"), read(root / "cpu/cpu.cfs_period_us")
    return int(quota) / int(period) if quota and period and int(quota) > 0 else None


def memory_limit(root: Path = CGROUP) -> int | None:
    """Bytes that a container may use, or None where there is no limit."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        text = read(root / name)
        # Version 1 writes a number near 2^63 for no limit.
        if text.isdecimal() and int(text) < 2**60:
            return int(text)
    return None


def memory_used(root: Path = CGROUP) -> int:
    """Bytes that the container uses, without files that the system can drop."""
    used = read(root / "memory.current") or read(root / "memory/memory.usage_in_bytes") or "0"
    statistics = dict(line.split()[:2] for line in read(root / "memory.stat").splitlines() if line)
    return max(0, int(used) - int(statistics.get("inactive_file", 0)))


def total_memory() -> int:
    """Bytes of memory that this process could ever have."""
    return min(psutil.virtual_memory().total, memory_limit() or 2**63)


def available_memory(device: str = "cpu") -> int:
    """Bytes of memory that are free now, on the device where the network lies."""
    if device == "cuda":
        import torch

        return torch.cuda.mem_get_info()[0]
    free = psutil.virtual_memory().available
    limit = memory_limit()
    return free if limit is None else min(free, max(0, limit - memory_used()))


def read(path: Path) -> str:
    """A small file's text, or nothing where it is not there."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
