"""The recipe's section ``setup``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sevenfold.schema import Section


class SetupSection(Section):
    """The machine.

    What it finds is not part of any identity: a model tuned on a GPU is exported and watched on a laptop as it is.
    """

    seed: int = Field(17, ge=0, description="The seed of every generator.")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where the network runs.")
    precision: Literal["auto", "bfloat16", "float32"] = Field("auto", description="The type of matrix products.")
    threads: int = Field(0, ge=0, description="Threads of matrix products; 0: one for each core.")
    deterministic: bool = Field(True, description="Use only operations that repeat bit for bit.")
