"""Settings of the libraries under torch, read when torch is imported, so made before."""

from __future__ import annotations

import os

SPINS = "1000"
"""Turns that a thread waits before it sleeps: microseconds, where a step of training takes seconds."""

PRIMITIVES = "64"
"""Prepared products that oneDNN keeps, and that torch keeps of them; a pass of training needs about 25."""


def share() -> None:
    """Let waiting threads sleep soon, and keep few prepared products.

    OpenMP's default lets them spin. When another process wants a core, each wait then costs a slice of its time: a
    training step of two seconds takes forty. oneDNN keeps 1,024 products, and torch's layer above it 1,024 more, each
    for one shape with memory of its own. Without padding almost every pass is a new shape: the stores take more than
    the training. What the user set stays.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = SPINS
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES)
    os.environ.setdefault("LRU_CACHE_CAPACITY", PRIMITIVES)
