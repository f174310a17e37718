"""LoHa: the change is the entrywise product of two low-rank ones (Yeh et al. 2023, LyCORIS, arXiv 2309.14859)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Loha(LinearPeftMethod):
    r"""``y = (W + scale * (B1 A1) o (B2 A2)) x``, with ``o`` entry by entry; after FedPara (arXiv 2108.06098).

    The entrywise product of two matrices of rank R has rank up to :math:`R^2`: with the ``2 R (I + O)`` weights of a
    LoRA of rank 2 R, a change of rank up to :math:`R^2`. ``scale`` is ``alpha / rank``; B1, A1 and B2 are drawn at
    random, A2 is zero at the start.

    It costs twice LoRA's time (1.9 measured, SmolLM2's blocks in bfloat16 on one core): the whole change, ``O x I``, is
    made and kept in every pass, and multiplied like a second weight. Use it where LoRA of a high rank helps, and the
    file must stay small. PEFT's layers.
    """

    rank: int = Field(8, ge=1, description="Rank of each of the two factors; the change has up to rank * rank.")
    alpha: float = Field(8.0, gt=0, description="The change is scaled by alpha / rank.")

    @property
    def kind(self) -> str:
        """PEFT's LoHa."""
        return "LOHA"

    def settings(self, network: PreTrainedModel) -> dict[str, Any]:
        """The fields of PEFT's LoHaConfig."""
        return {"r": self.rank, "alpha": self.alpha, "target_modules": self.target_names(network)}
