"""Linear weights in the 4 bits of NormalFloat (NF4; QLoRA, Dettmers et al. 2023, arXiv 2305.14314, section 3)."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sevenfold.errors import MachineError
from sevenfold.quiet import import_bitsandbytes
from sevenfold.tune.engine import bases

BLOCK = 64
"""Weights that share a scale."""
GROUP = 256
"""Scales that share a scale of their own under double quantisation."""


class Nf4Linear(bases.Quantised):
    """Each weight is one of 16 values, the quantiles of a normal distribution, times the largest of its block of 64.

    It takes ``4 + 32 / 64 = 4.5`` bits a weight. With double quantisation the scales are held in 8 bits, less their
    mean, in groups of 256: ``4 + 8 / 64 + 32 / (64 * 256) = 4.127`` bits, and 4 bytes a layer for the mean. Packing
    and unpacking are bitsandbytes'.

    Args:
        layer: The layer to replace.
        double_quantisation: Whether the scales are quantised too.

    Raises:
        MachineError: bitsandbytes is not installed.
    """

    def __init__(self, layer: Any, double_quantisation: bool) -> None:
        super().__init__(layer)
        codes, state = library().quantize_4bit(
            in_blocks(bases.dense(layer, torch.bfloat16).float()),
            blocksize=BLOCK,
            quant_type="nf4",
            compress_statistics=double_quantisation,
        )
        self.codes = nn.Parameter(codes, requires_grad=False)
        self.scales = nn.Parameter(state.absmax, requires_grad=False)
        self.double_quantisation = double_quantisation
        if double_quantisation:
            self.scales_of_scales = nn.Parameter(state.state2.absmax, requires_grad=False)
            self.mean_scale = nn.Parameter(state.offset, requires_grad=False)

    def dense(self, dtype: torch.dtype) -> Tensor:
        """``O x I`` at a type; rounded once, from float32."""
        functions = library()
        scales = self.full_scales(functions)
        # On a CPU, rows that are no whole number of blocks come out wrong (0.50.2): each block is its own row.
        state = functions.QuantState(
            absmax=scales,
            shape=torch.Size((len(scales), BLOCK)),
            dtype=dtype if dtype in {torch.bfloat16, torch.float16} else torch.float32,
            blocksize=BLOCK,
            quant_type="nf4",
        )
        weights = functions.dequantize_4bit(self.codes, state).flatten()
        weight_OI: Tensor = weights[: self.out_features * self.in_features].view(self.out_features, -1)
        return weight_OI.to(dtype)

    def full_scales(self, functions: Any) -> Tensor:
        """The scale of each block, float32."""
        if not self.double_quantisation:
            return self.scales
        state = functions.QuantState(
            absmax=self.scales_of_scales, code=code_of_scales(self.codes.device), blocksize=GROUP, dtype=torch.float32
        )
        scales: Tensor = functions.dequantize_blockwise(self.scales, state)
        return scales.add_(self.mean_scale)


def in_blocks(weight_OI: Tensor) -> Tensor:
    """All weights, row after row, as ``blocks x 64``; zeros fill the last one."""
    weights = weight_OI.flatten()
    return F.pad(weights, (0, -len(weights) % BLOCK)).view(-1, BLOCK)


@cache
def code_of_scales(device: torch.device) -> Tensor:
    """The 256 values that a quantised scale may have; one table for all layers of a device."""
    table: Tensor = library().create_dynamic_map().to(device)
    return table


@cache
def library() -> Any:
    """The functions of bitsandbytes.

    Raises:
        MachineError: It is not installed.
    """
    try:
        functions: Any = import_bitsandbytes().functional
    except ImportError as error:
        raise MachineError(
            "4-bit weights need bitsandbytes, which is not installed",
            next_step="pip install 'sevenfold[quantised]'; or bits: 8, which needs nothing",
        ) from error
    # It keeps this table where the first weight lies, and a plan is made of weights without memory.
    functions.name2qmap.setdefault("dynamic", functions.create_dynamic_map())
    return functions
