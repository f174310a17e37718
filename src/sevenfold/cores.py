"""How threads of matrix products wait for one another; read by OpenMP when torch is imported, so set before."""

from __future__ import annotations

import os

SPINS = "1000"
"""Turns that a thread waits before it sleeps: microseconds, where a step of training takes seconds."""


def share() -> None:
    """Let waiting threads sleep soon.

    OpenMP's default lets them spin. When another process wants a core, each wait then costs a slice of its time: a
    training step of two seconds takes forty. What the user set stays.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = SPINS
