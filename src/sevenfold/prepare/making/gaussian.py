"""How much noise keeps a row secret: the Gaussian mechanism, calibrated exactly.

Balle and Wang 2018, "Improving the Gaussian Mechanism for Differential Privacy" (arXiv 1805.06530), theorem 8.
"""

from __future__ import annotations

from math import erfc, exp, sqrt

STEPS = 200
"""Halvings of the interval in which the noise lies: as exact as a float."""
MOST = 1e9
"""The largest noise that is looked for, in units of the sensitivity."""


def below(place: float) -> float:
    """The share of a standard normal variable below a place."""
    return 0.5 * erfc(-place / sqrt(2))


def delta_of(sigma: float, epsilon: float) -> float:
    """The smallest delta that noise of this size gives for an epsilon, where one row moves what is told by 1 (L2).

    Args:
        sigma: The standard deviation of the noise.
        epsilon: The privacy loss that may be passed with probability delta.
    """
    return below(0.5 / sigma - epsilon * sigma) - exp(epsilon) * below(-0.5 / sigma - epsilon * sigma)


def noise_for(epsilon: float, delta: float, rounds: int = 1) -> float:
    """The least noise of each of some rounds that together are (epsilon, delta)-differentially private.

    ``rounds`` looks with noise ``sigma`` tell together as much as one look with ``sigma / sqrt(rounds)``, also where
    later looks depend on earlier ones (Dong, Roth and Su 2022, "Gaussian Differential Privacy", corollary 3.3).

    Args:
        epsilon: The bound of the privacy loss, over all rounds.
        delta: The probability with which it may be passed.
        rounds: How often all rows are looked at.

    Returns:
        The standard deviation, for an L2 sensitivity of 1.
    """
    low, high = 0.0, MOST
    for _ in range(STEPS):
        middle = (low + high) / 2
        # Noise of nought is nothing that can be divided by; it hides nothing.
        if middle and delta_of(middle, epsilon) <= delta:
            high = middle
        else:
            low = middle
    return high * sqrt(rounds)
