"""Muon: momentum made orthogonal (Jordan et al. 2024; Liu et al. 2025, arXiv 2502.16982)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.optimizers import FLOAT32, Optimizer

if TYPE_CHECKING:
    import torch

EMBEDDINGS = ("embed", "lm_head", "wte", "wpe")
"""Parts of names of matrices that are tables, not maps between hidden states."""


class Muon(Optimizer):
    """``m = momentum * m + g``; a hidden matrix moves by the orthogonal matrix nearest to ``g + momentum * m``.

    Five steps of a Newton-Schulz iteration find it about. It is scaled by ``0.2 sqrt(max(rows, columns))``, which gives
    a step the size of AdamW's, so AdamW's rates hold. Embeddings, the head and everything that is no matrix move by
    AdamW, as the authors advise.
    """

    momentum: float = Field(0.95, ge=0, lt=1, description="Share of the last step that goes on.")
    iterations: int = Field(5, ge=1, description="Steps of the Newton-Schulz iteration.")
    beta1: float = Field(0.9, ge=0, lt=1, description="AdamW's decay of the mean of gradients.")
    beta2: float = Field(0.999, ge=0, lt=1, description="AdamW's decay of the mean of squared gradients.")
    weight_decay: float = Field(0.0, ge=0, description="Share of a matrix taken off per step, times the learning rate.")

    def for_weights(
        self, weights: Mapping[str, torch.nn.Parameter], rates: Mapping[str, float]
    ) -> torch.optim.Optimizer:
        """As the base does, with tables apart from other matrices."""
        found: dict[tuple[bool, bool, float], list[torch.nn.Parameter]] = {}
        for name, weight in weights.items():
            key = weight.ndim >= 2, is_map(name, weight), rates.get(name, 1.0)
            found.setdefault(key, []).append(weight)
        return self.build(
            [
                {"params": part, "matrices": matrices, "maps": maps, "factor": factor}
                for (matrices, maps, factor), part in found.items()
            ]
        )

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Torch's Muon and its AdamW as one."""
        import torch

        from sevenfold.tune.optimizers._together import Together

        parts: list[torch.optim.Optimizer] = []
        maps, others = ([group for group in groups if group.get("maps", group["matrices"]) == kind] for kind in (1, 0))
        if maps:
            parts.append(
                torch.optim.Muon(
                    maps,
                    lr=0.0,
                    momentum=self.momentum,
                    ns_steps=self.iterations,
                    weight_decay=self.weight_decay,
                    adjust_lr_fn="match_rms_adamw",
                )
            )
        if others:
            decayed = [{**group, "weight_decay": self.weight_decay if group["matrices"] else 0.0} for group in others]
            parts.append(torch.optim.AdamW(decayed, lr=0.0, betas=(self.beta1, self.beta2), fused=True))
        return Together(parts)

    def state_bytes(self, weights: Mapping[str, torch.nn.Parameter]) -> int:
        """One number for an element of a hidden matrix, two for one of anything else."""
        return FLOAT32 * sum((1 if is_map(name, weight) else 2) * weight.numel() for name, weight in weights.items())


def is_map(name: str, weight: torch.nn.Parameter) -> bool:
    """Whether a parameter is a matrix between hidden states; a stack of such is none to torch's Muon."""
    return weight.ndim == 2 and not any(part in name for part in EMBEDDINGS)
