"""AdaLoRA's budget of ranks: which singular values stay, chosen by how much the loss hangs on them.

Every adapted layer holds ``P diag(e) Q``: :math:`P_{OR}` (PEFT's ``lora_B``), :math:`e_{R1}` (``lora_E``) and
:math:`Q_{RI}` (``lora_A``). A triplet is a singular value with its two vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

PARTS = ("lora_A", "lora_E", "lora_B")
Layers = Mapping[str, nn.Module]
"""Adapted layers by name; all functions here take PEFT's ``SVDLinear`` with the buffers of :func:`prepare`."""


@dataclass(frozen=True)
class Budget:
    """How many triplets all layers together may keep, step by step (equation 12 of the paper).

    Args:
        first: Triplets at the start.
        last: Triplets at the end.
        total: Steps of the training.
        warmup: Steps with all triplets.
        final: Steps at the end in which nothing is chosen any more.
        every: Steps between two choices.
    """

    first: int
    last: int
    total: int
    warmup: int
    final: int
    every: int

    @property
    def settled(self) -> int:
        """The step behind which the choice stays."""
        return self.total - self.final

    def at(self, step: int) -> int:
        """Triplets that are kept once ``step`` steps are behind."""
        if step <= self.warmup:
            return self.first
        left = max(0.0, 1 - (step - self.warmup) / (self.settled - self.warmup))
        return self.last + int((self.first - self.last) * left**3)

    def is_due(self, step: int) -> bool:
        """Whether triplets are chosen once ``step`` steps are behind."""
        return self.warmup < step <= self.settled and (step % self.every == 0 or step == self.settled)


def weight(layer: Any, part: str) -> Tensor:
    """One of a layer's three weights."""
    found: Tensor = getattr(layer, part)["default"]
    return found


def prepare(layers: Layers) -> None:
    """Give every layer the memory that choosing needs: two averages of each weight, and which triplets are kept."""
    for layer in layers.values():
        for part in PARTS:
            for kind in ("sensitivity", "uncertainty"):
                zeros = torch.zeros_like(weight(layer, part), requires_grad=False)
                layer.register_buffer(f"{kind}_{part}", zeros, persistent=False)
        kept = torch.ones(len(weight(layer, "lora_E")), dtype=torch.bool, device=weight(layer, "lora_E").device)
        layer.register_buffer("kept", kept, persistent=False)


def state(layers: Layers) -> dict[str, Tensor]:
    """All that :func:`prepare` made, by name."""
    return {
        f"{name}.{key}": value
        for name, layer in layers.items()
        for key, value in layer.named_buffers(recurse=False)
        if key == "kept" or key.startswith(("sensitivity", "uncertainty"))
    }


def add_orthogonality(layers: Layers, strength: float) -> None:
    """Add to the gradients that of ``strength * mean over P and Q of ||P^T P - 1||_F + ||Q Q^T - 1||_F``.

    The norm is not squared, as in the authors' code and PEFT's. Its gradient is ``2 (Q Q^T - 1) Q / ||Q Q^T - 1||_F``.
    """
    share = strength / (2 * len(layers))
    for layer in layers.values():
        for part in ("lora_A", "lora_B"):
            vectors = weight(layer, part)
            if vectors.grad is None:
                continue
            q_RN = vectors.detach() if part == "lora_A" else vectors.detach().t()
            gap_RR = q_RN @ q_RN.t()
            gap_RR.diagonal().sub_(1)
            gradient_RN = gap_RR @ q_RN * (2 * share / gap_RR.norm().clamp_min(1e-12))
            vectors.grad += gradient_RN if part == "lora_A" else gradient_RN.t()


def measure(layers: Layers, beta1: float, beta2: float) -> None:
    """Update the averages with a step's gradients: sensitivity ``|w dw|``, and how far it is from its average."""
    for layer in layers.values():
        for part in PARTS:
            moving = weight(layer, part)
            if moving.grad is None:
                continue
            now = (moving.detach() * moving.grad).abs_()
            sensitivity, uncertainty = getattr(layer, f"sensitivity_{part}"), getattr(layer, f"uncertainty_{part}")
            sensitivity.lerp_(now, 1 - beta1)
            uncertainty.lerp_(now.sub_(sensitivity).abs_(), 1 - beta2)


def importance(layer: Any) -> Tensor:
    """The score of a layer's triplets, ``R``: of its singular value, and the means over its two vectors."""
    scores = {part: getattr(layer, f"sensitivity_{part}") * getattr(layer, f"uncertainty_{part}") for part in PARTS}
    return scores["lora_E"].flatten() + scores["lora_A"].mean(1) + scores["lora_B"].mean(0)


def choose(layers: Layers, budget: int) -> None:
    """Keep the ``budget`` triplets with the highest scores of all layers; of equal ones the first."""
    scores = [importance(layer) for layer in layers.values()]
    order = torch.argsort(torch.cat(scores), descending=True, stable=True)
    kept = torch.zeros(len(order), dtype=torch.bool, device=order.device)
    kept[order[:budget]] = True
    for layer, mask in zip(layers.values(), kept.split([len(score) for score in scores]), strict=True):
        layer.kept.copy_(mask)  # type: ignore[operator]


@torch.no_grad()
def drop(layers: Layers) -> None:
    """Set the singular values to zero that are not kept."""
    for layer in layers.values():
        weight(layer, "lora_E").masked_fill_(~layer.kept[:, None], 0.0)  # type: ignore[index]


def alive(layer: Any) -> Tensor:
    """Which triplets a layer's file needs: those that are kept, and those that have grown since the last choice."""
    found: Tensor = layer.kept | (weight(layer, "lora_E").detach().flatten() != 0)
    return found
