"""Compiled blocks: the elementwise work between the products in few passes over the memory."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from sevenfold.errors import MachineError, ModelError
from sevenfold.record import write_text
from sevenfold.tune.engine import documents
from sevenfold.tune.engine.blocks import stack
from sevenfold.tune.engine.passes import Pass
from sevenfold.tune.engine.probe import trunk as body_of
from sevenfold.tune.engine.trunk_probe import PROBE, trial

if TYPE_CHECKING:
    from sevenfold.record import Entry
    from sevenfold.tune.engine.forward import Forward

GAIN = 0.09
"""Share of a step's time that compiled blocks save: 0.04 to 0.15, mean 0.10, in seconds of the processor, turn by turn
with plain ones, for SmolLM2-135M, LoRA, bfloat16, one thread, passes of 600 tokens. Nothing was measured on GPUs."""
SECONDS = 60.0
"""Time of a compilation: 20 to 77 s measured on one to two cores; the number of blocks does not matter."""
NAME = f"{documents.NAME}_outside"
"""Attention by document as a compiled block calls it."""


def repays(planned: float) -> bool:
    """Whether a training of some seconds saves at least twice what the compilation takes: about 20 minutes."""
    return planned * GAIN > 2 * SECONDS


def apply(
    choice: Literal["auto", "always", "never"], forward: Forward, planned: float, entry: Entry, trunk: int = 0
) -> bool:
    """Compile the network's blocks where that pays; says what it cost, or why it could not be done.

    Equals the plain blocks within the precision's noise. The first decision of a run is kept in its folder, so that a
    resumed one, planned again, computes the same bits.

    Args:
        choice: ``tune.engine.compile``.
        forward: The network as it trains.
        planned: Seconds that the whole training is expected to take.
        entry: The stage's folder and notes.
        trunk: Lowest blocks to leave alone: a cached trunk runs in the first epoch only.

    Returns:
        Whether blocks are compiled.
    """
    decision = entry.folder / "compile"
    if choice == "auto" and not decision.exists():
        write_text(decision, "always" if repays(planned) else "never")
    if (decision.read_text(encoding="utf-8") if choice == "auto" else choice) == "never":
        return False
    started = time.perf_counter()
    try:
        blocks = list(stack(forward.network)[1])[trunk:]
        put_in(forward, blocks)
    except (ModelError, MachineError) as error:
        entry.note(f"blocks are not compiled: {error.problem}")
        return False
    entry.note(f"{len(blocks)} blocks were compiled in {time.perf_counter() - started:.0f} s")
    return True


def put_in(forward: Forward, blocks: list[nn.Module], backend: str = "inductor") -> None:
    """Compile blocks where they stand, and try them forward and backward; names of weights stay.

    All blocks share one compilation, which holds for passes of every length. Attention goes over documents one by one,
    so it stays outside; its bounds would be a new program for each pass.

    Args:
        forward: The network as it trains.
        blocks: Blocks of one class.
        backend: Of ``torch.compile``.

    Raises:
        MachineError: There is no compiler, or it fails; the blocks are plain again.
    """
    compiler = os.environ.get("CXX", "g++")
    if backend == "inductor" and not shutil.which(compiler):
        raise MachineError(f"there is no C++ compiler {compiler!r}", next_step="install g++, or set CXX")
    network = forward.network
    attention = network.config._attn_implementation
    if attention == documents.NAME:
        network.set_attn_implementation(register())
    hook = body_of(network).register_forward_pre_hook(spans_as_tensor, with_kwargs=True)
    compiled = [part for block in blocks for part in parts(block)]
    for part in compiled:
        part.compile(dynamic=True, backend=backend)
    try:
        attempt(forward)
    except Exception as error:
        for part in compiled:
            part._compiled_call_impl = None
        hook.remove()
        network.set_attn_implementation(attention)
        reason = " ".join(str(error).split("\n")[:2])
        raise MachineError(f"{type(error).__name__}: {reason}") from error


def parts(block: nn.Module) -> list[nn.Module]:
    """What is compiled as one: the block; its parts where it is computed again, which no compiler looks through."""
    return list(block.children()) if getattr(block, "gradient_checkpointing", False) else [block]


def spans_as_tensor(body: nn.Module, positional: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Documents' spans as a tensor: compiled code holds for tensors of any content, not so for lists.

    The tensor is flat, and one longer: compiled code holds for any length, but not for 1, and it takes lengths that
    were equal once to be equal always, as the spans' would be to others that are even.
    """
    if "document_spans" in named:
        flat = [number for span in named["document_spans"] for number in span]
        named = {**named, "document_spans": torch.tensor([*flat, 0])}
    return positional, named


def attend(*positional: Any, document_spans: Tensor, **named: Any) -> tuple[Tensor, None]:
    """:func:`documents.attend` with spans as a tensor."""
    return documents.attend(*positional, document_spans=document_spans[:-1].view(-1, 4).tolist(), **named)


def register() -> str:
    """Make attention by document known under a second name, under which no compiler looks into it."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, torch.compiler.disable(attend))
    return NAME


def attempt(forward: Forward) -> None:
    """One pass forward and backward, and one as in validation; no gradient and no random number is left behind."""
    batch: Pass = trial(forward, PROBE)
    moving = [weight for weight in forward.network.parameters() if weight.requires_grad]
    with torch.random.fork_rng():
        torch.autograd.grad(forward(batch).sum(), moving, allow_unused=True)
        forward.network.eval()
        try:
            with torch.no_grad():
                forward(batch)
        finally:
            forward.network.train()
