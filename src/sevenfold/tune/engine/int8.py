"""Linear weights in 8 bits: one scale an output (as in LLM.int8(), Dettmers et al. 2022, arXiv 2208.07339)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sevenfold.tune.engine import bases

LARGEST = 127


class Int8Linear(bases.Quantised):
    """``W = scale_O * code_OI`` with codes from -127 to 127 and ``scale = max |W| / 127`` of a row.

    It takes ``8 + 16 / I`` bits a weight. Scales are rounded to bfloat16 before the codes are chosen: a code times a
    scale is then rounded once in bfloat16, so that the weight there is just the rounded weight of float32.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__(layer)
        weight_OI = bases.dense(layer, torch.bfloat16).float()
        scales_O = (weight_OI.abs().amax(1) / LARGEST).to(torch.bfloat16)
        # A row of zeros has no scale; its codes are zero whatever they are divided by.
        divisors_O = torch.where(scales_O == 0, 1, scales_O.float())
        codes_OI = (weight_OI / divisors_O[:, None]).round_().clamp_(-LARGEST, LARGEST).to(torch.int8)
        self.codes = nn.Parameter(codes_OI, requires_grad=False)
        self.scales = nn.Parameter(scales_O, requires_grad=False)

    def dense(self, dtype: torch.dtype) -> Tensor:
        """``O x I`` at a type; float16 has too small an exponent for the product, which is then made in float32."""
        work = torch.promote_types(dtype, torch.bfloat16)
        return self.codes.to(work).mul_(self.scales.to(work)[:, None]).to(dtype)
