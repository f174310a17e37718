"""VeRA: random matrices that all layers share and that never move, scaled by vectors that do (arXiv 2310.11454)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.tune.peft_method import LinearPeftMethod

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Vera(LinearPeftMethod):
    r"""``y = W x + b o B (d o A x)``, with ``o`` entry by entry (Kopiczko et al. 2023, arXiv 2310.11454).

    :math:`A_{RI}` and :math:`B_{OR}` are drawn once, are as large as the largest layer needs, and every layer takes its
    part of the same two. Only the vectors move: d of R numbers, ``d_initial`` at the start, and b of O, zero at the
    start: ``R + O`` a layer, where LoRA moves ``R (I + O)``.

    The rank costs nearly no weights, so it is high, and with it the time: 1.4 times that of LoRA of rank 16 at rank
    256 (measured, SmolLM2's blocks in bfloat16 on one core), 1.1 at rank 16. The learning rate is high, too: ten times
    that of LoRA. Use it where many adapters are kept, or where LoRA of rank 1 has still too many weights. A and B lie
    in the file, as PEFT advises, or are drawn again from ``projection_seed``: then the file holds the vectors alone,
    and loads only where torch draws the same numbers. PEFT's layers.
    """

    rank: int = Field(256, ge=1, description="Rows of A, and columns of B.")
    d_initial: float = Field(0.1, description="The value of d at the start.")
    projection_seed: int = Field(0, ge=0, description="The seed from which A and B are drawn.")
    save_projection: bool = Field(True, description="A and B are in the file; else they are drawn again at loading.")

    @property
    def kind(self) -> str:
        """PEFT's VeRA."""
        return "VERA"

    def settings(self, network: PreTrainedModel) -> dict[str, Any]:
        """The fields of PEFT's VeraConfig."""
        return {
            "r": self.rank,
            "d_initial": self.d_initial,
            "projection_prng_key": self.projection_seed,
            "save_projection": self.save_projection,
            "target_modules": self.target_names(network),
        }
