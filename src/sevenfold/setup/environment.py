"""An environment: the device, the precision and why, the seed, and the plan of memory and time."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

from sevenfold.record import Result

if TYPE_CHECKING:
    import torch

    from sevenfold.setup.plan import Plan, Work


class Environment(Result):
    """What the machine offers and what of it is used."""

    device: str
    """``cpu``, ``cuda`` or ``mps``."""
    precision: str
    """The type of matrix products: ``bfloat16`` or ``float32``."""
    reason: str
    """Why this precision."""
    seed: int
    threads: int
    deterministic: bool
    machine: dict[str, Any]
    """A snapshot: processor, memory, versions."""

    @property
    def dtype(self) -> torch.dtype:
        """The precision as a type of torch."""
        import torch

        return {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}[self.precision]

    def start(self) -> None:
        """Seed every generator and set threads and determinism; called before any weight is drawn."""
        import numpy
        import torch

        # Read by cuBLAS when it starts; without it its sums may differ from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        random.seed(self.seed)
        numpy.random.seed(self.seed % 2**32)
        torch.manual_seed(self.seed)
        torch.set_num_threads(self.threads)
        torch.use_deterministic_algorithms(self.deterministic, warn_only=True)
        # A debugging aid that deterministic mode switches on: it writes every new tensor once more.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.deterministic = self.deterministic
        torch.backends.cudnn.benchmark = not self.deterministic

    def plan(self, work: Work) -> Plan:
        """Memory by part and time of some work, here and now.

        The rate of products is measured, which takes a fraction of a second.
        """
        from sevenfold.setup import plan
        from sevenfold.setup.limits import available_memory

        return plan.make(work, available_memory(self.device), plan.rate(self.dtype, self.device, self.threads))
