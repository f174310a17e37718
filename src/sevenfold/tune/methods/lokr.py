"""LoKr: the change is a Kronecker product of a small and a low-rank matrix (Yeh et al. 2023, arXiv 2309.14859)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Lokr(LinearPeftMethod):
    r"""``y = (W + scale * C (x) (B A)) x`` with ``(x)`` the Kronecker product; ``C`` is zero at the start.

    The sides of W are split into factors that are as near to each other as they can be, or by ``factor``: with
    ``O = o1 o2`` and ``I = i1 i2``, C is ``o1 x i1`` and ``B A`` is ``o2 x i2``. The rank of the change is the product
    of both ranks. ``scale`` is ``alpha / rank``. Where ``rank`` is at least half of the larger of o2 and i2, one full
    matrix stands for ``B A``.

    For a layer of 576 x 576 and rank 8 it moves 960 weights, where LoRA of rank 8 moves 9,216: the smallest file of the
    methods that change every entry of W. It costs about LoRA's time: the Kronecker product is never made, x is
    multiplied by its two factors. The layers and their files are PEFT's.
    """

    rank: int = Field(8, ge=1, description="Rank of the second factor.")
    alpha: float = Field(8.0, gt=0, description="The change is scaled by alpha / rank.")
    factor: int = Field(
        -1,
        ge=-1,
        description="The size of C's sides, where it divides the layer's; -1: as near to the root as it goes.",
    )
    decompose_both: bool = Field(False, description="C is a product of two matrices of this rank, too.")

    @property
    def kind(self) -> str:
        """PEFT's LoKr."""
        return "LOKR"

    def settings(self, network: PreTrainedModel) -> dict[str, Any]:
        """The fields of PEFT's LoKrConfig."""
        return {
            "r": self.rank,
            "alpha": self.alpha,
            "decompose_factor": self.factor,
            "decompose_both": self.decompose_both,
            "target_modules": self.target_names(network),
        }

    def attach(self, network: PreTrainedModel) -> None:
        """Freeze the base and put PEFT's layers in, which compute by the factors."""
        from sevenfold.tune.engine import kronecker

        super().attach(network)
        kronecker.put_in(network)

    def load(self, network: PreTrainedModel, folder: Path) -> None:
        """Put a saved adapter into a plain network."""
        from sevenfold.tune.engine import kronecker

        super().load(network, folder)
        kronecker.put_in(network)
