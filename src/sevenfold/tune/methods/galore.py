"""GaLore: full tuning whose optimiser works on projected gradients (Zhao et al. 2024, arXiv 2403.03507)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.methods import Needs
from sevenfold.tune.methods.full import Full

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.moving import Mover
    from sevenfold.tune.optimizers.adamw import AdamW
    from sevenfold.tune.section import TuneSection

    Weights = Mapping[str, torch.nn.Parameter]


class Galore(Full):
    r"""Every parameter moves; of a matrix's gradient only its ``rank`` strongest directions reach the optimiser.

    ``R = P^T G``, ``W -= rate * scale * P adamw(R)``, P (m x r) being the strongest left singular vectors of the
    gradient G (m x n, m <= n) of every ``every``-th step. The optimiser's state of a matrix is ``m r + 2 n r`` numbers
    instead of ``2 m n``; gradients and weights stay whole, so that ``tune.engine.step_in_backward`` (with ``clip:
    null``) is what frees the gradients too. Matrices whose shorter side is not over the rank, norms, biases, and, as in
    the paper, embeddings and head move by plain AdamW.

    Weights are float32. A step costs two small products a matrix more than AdamW's, a new projection an
    eigendecomposition of m x m. Use it where full tuning's optimiser does not fit, and lomo's descent learns too
    slowly.
    """

    rank: int = Field(16, ge=1, description="Directions of a gradient that are kept.")
    every: int = Field(200, ge=1, description="Steps for which a projection holds.")
    scale: float = Field(1.0, gt=0, description="Factor of the steps of projected weights.")
    embeddings: bool = Field(
        False, description="Project the embeddings and the head too: in small models they are most of the state."
    )

    def notes(self, network: PreTrainedModel) -> list[str]:
        """How many parameters are projected."""
        ranks = self.ranks(network, self.trainable(network))
        sizes = {name: weight.numel() for name, weight in network.named_parameters()}
        projected = sum(sizes[name] for name, rank in ranks.items() if rank is not None)
        return [f"{projected / max(1, sum(sizes.values())):.0%} of the parameters have projected gradients"]

    def check(self, section: TuneSection) -> None:
        """Refuse other optimisers.

        Raises:
            RecipeError: The optimiser is not AdamW.
        """
        from sevenfold.tune.optimizers.adamw import AdamW

        if not isinstance(section.optimizer, AdamW):
            raise RecipeError(
                "galore projects the gradients of AdamW, and tune.optimizer is another",
                where="tune.optimizer",
                expected="adamw",
                next_step="tune.optimizer: adamw, or tune.method: full",
            )

    def ranks(self, network: PreTrainedModel, weights: Weights) -> dict[str, int | None]:
        """The rank to which each weight's gradient is projected; None where it is not."""
        from sevenfold.tune.engine import galore

        ends = [network.get_input_embeddings(), network.get_output_embeddings()]
        kept = set() if self.embeddings else {id(w) for part in ends if part is not None for w in part.parameters()}
        return {
            name: self.rank if galore.shrinks(weight, self.rank) and id(weight) not in kept else None
            for name, weight in weights.items()
        }

    def needs(self, section: TuneSection, network: PreTrainedModel, precision: torch.dtype) -> Needs:
        """The state of the small spaces, float32."""
        from sevenfold.tune.engine import galore

        weights = self.trainable(network)
        ranks = self.ranks(network, weights)
        numbers = sum(galore.state_numbers(weight, ranks[name]) for name, weight in weights.items())
        return Needs(optimizer_bytes=4 * numbers, in_backward=section.engine.step_in_backward)

    def mover(self, forward: Forward, section: TuneSection, weights: Weights) -> Mover:
        """Behind or in the backward pass, with the optimiser that projects."""
        from sevenfold.tune.engine import galore, moving

        ranks, settings = self.ranks(forward.network, weights), cast("AdamW", section.optimizer)
        found: dict[tuple[int | None, bool], list[torch.nn.Parameter]] = {}
        for name, weight in weights.items():
            found.setdefault((ranks[name], weight.ndim >= 2), []).append(weight)
        groups = [
            {"params": part, "factor": 1.0, "rank": rank, "weight_decay": settings.weight_decay if matrices else 0.0}
            for (rank, matrices), part in found.items()
        ]
        optimizer = galore.Galore(groups, (settings.beta1, settings.beta2), settings.eps, self.every, self.scale)
        return moving.mover(forward, section, weights, {}, optimizer)
