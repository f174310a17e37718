"""The highest memory that a stretch of work used."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
from pathlib import Path

PROCESS = Path("/proc/self")


def reset_peak() -> None:
    """Forget the peak so far where the system can (Linux; CUDA); elsewhere the peak is that of the whole process.

    What earlier work left behind is given back first: it is not this work's.
    """
    import torch

    give_back()
    with contextlib.suppress(OSError):
        (PROCESS / "clear_refs").write_text("5")
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def give_back() -> None:
    """Return freed memory to the system; glibc's allocator keeps it otherwise."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def peak_bytes(device: str) -> int:
    """Peak bytes since :func:`reset_peak`: of the GPU when training runs there, else of the process."""
    import torch

    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    with contextlib.suppress(OSError):
        for line in (PROCESS / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
