"""The recipe's section ``setup``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sevenfold.schema import Section


class SetupSection(Section):
    """The machine."""

    seed: int = Field(17, ge=0, description="The seed of every generator.")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="Where the network runs.")
    precision: Literal["auto", "bfloat16", "float32"] = Field("auto", description="The type of matrix products.")
    threads: int = Field(0, ge=0, description="Threads of matrix products; 0: one for each core.")
    deterministic: bool = Field(True, description="Use only operations that repeat bit for bit.")

    def outside(self) -> dict[str, str]:
        """The device and precision that this machine gives: a run that moves to another kind of machine is made anew.

        Threads are not among them, so a busy machine does not throw work away; sums of products may then differ in
        the last bit.
        """
        from sevenfold.setup import devices

        device = devices.choose(self.device)
        return {"device": device, "precision": devices.choose_precision(self.precision, device)[0]}
