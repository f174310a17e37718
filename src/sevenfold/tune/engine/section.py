"""The recipe's section ``tune.engine``: how the work is done, never what is learnt."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sevenfold.schema import Section


class EngineSection(Section):
    """Speed against memory. Every choice gives the same losses and gradients within the precision's noise."""

    activations: Literal["auto", "keep", "recompute", "offload"] = Field(
        "auto",
        description="What the backward pass needs: kept, computed again block by block, or held in the main memory "
        "(GPU only). auto: kept where the plan fits, else as many blocks as needed are computed again.",
    )
    compile: Literal["auto", "always", "never"] = Field(
        "auto", description="Compile the network's blocks; auto: where the training is long enough to repay it."
    )
    trunk_cache: Literal["auto", "never"] = Field(
        "auto",
        description="Keep on disk what frozen lower blocks give, so that later epochs skip them; auto: where the lower "
        "blocks are frozen, rows are read more than once and the disk has room.",
    )
    step_in_backward: bool = Field(
        False,
        description="Move each weight as soon as its gradient is known and free the gradient: the gradients of all "
        "weights never exist at once. Needs a batch that is one pass, and no clipping.",
    )
