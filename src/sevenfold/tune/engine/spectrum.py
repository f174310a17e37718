"""Signal and noise in a weight, by its singular values."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sevenfold import cache
from sevenfold.record import write_text
from sevenfold.tune.engine import bases, blocks

QUICK = 2**16
"""Entries of a weight up to which its singular values are computed sooner than they are looked up."""


@dataclass
class Ranking:
    """What was found of a network's linear layers.

    Args:
        ratios: Signal to noise by the layer's name.
        chosen: The names of those that are to move.
        seconds: Time that it took; 0 where it was read from a file.
    """

    ratios: dict[str, float] = field(default_factory=dict)
    chosen: list[str] = field(default_factory=list)
    seconds: float = 0.0


def signal_to_noise(weight: Tensor) -> float:
    """The sum of the singular values above the noise over the sum of those below, over the largest one.

    The noise is what a matrix of independent entries would have. With sigma the spread of the singular values (their
    interquartile range / 1.349, which is a normal distribution's standard deviation) and b the ratio of the matrix's
    smaller to its larger side, the edge of the Marchenko-Pastur law is ``sigma (1 + sqrt(b))``.

    Args:
        weight: A matrix.

    Returns:
        The ratio. Rounding is the least noise there is, and a weight of zeros has no signal.
    """
    values = singular_values(weight)
    low, high = torch.quantile(values, values.new_tensor([0.25, 0.75])).tolist()
    smaller, larger = sorted(weight.shape)
    edge = (high - low) / 1.349 * (1 + math.sqrt(smaller / larger))
    signal, noise, largest = (float(part.sum()) for part in (values[values > edge], values[values <= edge], values[-1]))
    return signal / max(noise, largest * torch.finfo(torch.float32).eps) / largest if largest else 0.0


def singular_values(weight: Tensor) -> Tensor:
    """All singular values, ascending, float64, as roots of the eigenvalues of ``W W^T``.

    Equals ``svdvals``, for those above 1e-8 of the largest one, in half its time.
    """
    matrix = weight.detach().double()
    matrix = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.t()
    return torch.linalg.eigvalsh(matrix @ matrix.t()).clamp_min(0).sqrt()


def kept_signal_to_noise(weight: Tensor) -> float:
    """:func:`signal_to_noise`, remembered by the weight's content where it takes a while."""
    if weight.numel() <= QUICK:
        return signal_to_noise(weight)
    octets: Any = weight.detach().contiguous().view(torch.uint8).cpu().numpy()
    name = hashlib.sha256(f"{tuple(weight.shape)} {weight.dtype}".encode() + octets.tobytes()).hexdigest()
    place = cache.kept("spectra", name, partial(write_ratio, weight))
    ratio: float = json.loads((place / "ratio.json").read_text(encoding="utf-8"))
    return ratio


def write_ratio(weight: Tensor, folder: Path) -> None:
    """Compute a weight's ratio into a folder of the cache."""
    write_text(folder / "ratio.json", json.dumps(signal_to_noise(weight)))


def kinds(network: Any, endings: list[str]) -> dict[str, list[str]]:
    """The linear layers of the blocks by kind, which is their name in the block; numbers of experts do not count.

    An encoder's kinds are others than its decoder's.

    Args:
        network: The network.
        endings: Last parts of the names to take; empty: all.
    """
    stacks = [name for name, _ in blocks.stacks(network)]
    linear = bases.linear_names(network)
    found: dict[str, list[str]] = {}
    for stack in stacks:
        for name in (name for name in linear if name.startswith(f"{stack}.")):
            kind = re.sub(r"\.\d+(?=\.|$)", ".*", name.removeprefix(f"{stack}.").partition(".")[2])
            if not endings or any(kind == ending or kind.endswith(f".{ending}") for ending in endings):
                found.setdefault(kind if len(stacks) == 1 else f"{stack}: {kind}", []).append(name)
    return found


def rank(network: Any, by_kind: dict[str, list[str]], share: float) -> Ranking:
    """Choose the layers with the highest ratios of each kind; on a network without values the first ones."""
    started = time.perf_counter()
    ranking = Ranking()
    for names in by_kind.values():
        count = max(1, round(share * len(names)))
        if next(network.parameters()).is_meta:
            ranking.chosen += names[:count]
            continue
        for name in names:
            layer = network.get_submodule(name)
            ranking.ratios[name] = kept_signal_to_noise(bases.dense(layer, layer.weight.dtype))
        ranking.chosen += sorted(names, key=lambda name: -ranking.ratios[name])[:count]
    ranking.seconds = time.perf_counter() - started
    return ranking
