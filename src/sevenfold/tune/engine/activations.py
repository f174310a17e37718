"""What the backward pass needs of the forward pass: kept, computed again block by block, or held in the main memory.

Either way gives the losses and gradients of keeping everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from sevenfold.errors import RecipeError
from sevenfold.tune.engine import routes, virtual

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.setup.plan import Plan

SMALL = 2**20
"""Bytes below which a tensor is not worth its way to the main memory and back."""


def check(choice: Literal["auto", "keep", "recompute", "offload"], network: PreTrainedModel, device: str) -> None:
    """Refuse what this network or this device cannot do.

    Args:
        choice: ``tune.engine.activations``.
        network: With the method attached; weights are not needed.
        device: Where it is to be trained.

    Raises:
        RecipeError: There is nothing to offload from, or no block that could be computed again.
    """
    if choice == "offload" and device != "cuda":
        raise RecipeError(
            f"tune.engine.activations: offload moves activations from a GPU's memory to the main memory, and device "
            f"{device} computes in the main memory already",
            value=choice,
            alternatives=["auto", "recompute", "keep"],
            next_step="tune.engine.activations: recompute needs less memory on every device",
        )
    if choice == "recompute" and not recomputable(network):
        raise RecipeError(
            f"{type(network).__name__} has no blocks that can be computed again, so tune.engine.activations: recompute "
            f"cannot be kept",
            value=choice,
            alternatives=["auto", "keep"],
            next_step="tune.engine.activations: keep, with a smaller tune.tokens_per_pass",
        )


def blocks(network: PreTrainedModel) -> list[nn.Module]:
    """The blocks that transformers can compute again, lowest first; a block inside another is part of that one."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    named = {name: part for name, part in network.named_modules() if isinstance(part, GradientCheckpointingLayer)}
    return [part for name, part in named.items() if not any(name.startswith(f"{other}.") for other in named)]


def recomputable(network: PreTrainedModel) -> list[nn.Module]:
    """The blocks that keep anything: those from the lowest one that a gradient goes through."""
    found = blocks(network)
    embeddings = network.get_input_embeddings()
    if any(weight.requires_grad for weight in embeddings.parameters()):
        return found
    trained = (number for number, block in enumerate(found) if any(w.requires_grad for w in block.parameters()))
    return found[next(trained, len(found)) :]


def recompute(network: PreTrainedModel, count: int) -> None:
    """Let the lowest ``count`` of the blocks that keep anything keep only their input.

    The lowest, because their turn in the backward pass comes when what the upper blocks kept is free again. Equals the
    plain network; randomness (dropout) is drawn again as it was.
    """
    from torch.utils.checkpoint import checkpoint

    # Not reentrant: the first block's input needs no gradient under a frozen base, and keyword arguments, among them
    # the bounds of the documents, go with the call.
    again = partial(checkpoint, use_reentrant=False, context_fn=remembered(network))
    for number, block in enumerate(recomputable(network)):
        block.gradient_checkpointing = number < count  # type: ignore[assignment]
        block._gradient_checkpointing_func = again  # type: ignore[assignment]


def remembered(network: nn.Module) -> Callable[[], tuple[AbstractContextManager[None], AbstractContextManager[None]]]:
    """For ``torch.utils.checkpoint``: a block that is computed again finds what its own pass said beside the states."""
    noted = virtual.noted(network)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), together(routes.again()[1], noted())

    return contexts


@contextmanager
def together(first: AbstractContextManager[None], second: AbstractContextManager[None]) -> Iterator[None]:
    """Two contexts as one."""
    with first, second:
        yield


class Offloading(saved_tensors_hooks):
    """Holds what autograd saves in pinned main memory until the backward pass asks for it.

    Equals ``torch.autograd.graph.save_on_cpu(pin_memory=True)``, but for weights, which lie on the device anyway, and
    for small tensors: these stay where they are.

    Args:
        network: Its weights stay.
        least: Bytes from which a tensor is moved.
    """

    def __init__(self, network: nn.Module, least: int = SMALL) -> None:
        self.weights = {weight.untyped_storage().data_ptr() for weight in network.parameters()}
        self.least = least
        super().__init__(self.pack, self.unpack)

    def pack(self, tensor: Tensor) -> Tensor | tuple[Any, Tensor]:
        """The tensor itself, or its device and its copy in the main memory."""
        import torch

        if tensor.nbytes < self.least or tensor.untyped_storage().data_ptr() in self.weights:
            return tensor
        pinned = torch.cuda.is_available()
        copy = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu", pin_memory=pinned)
        return tensor.device, copy.copy_(tensor, non_blocking=pinned)

    def unpack(self, packed: Tensor | tuple[Any, Tensor]) -> Tensor:
        """The tensor on its device."""
        if isinstance(packed, Tensor):
            return packed
        device, copy = packed
        return copy.to(device, non_blocking=True)


def offload(network: PreTrainedModel, least: int = SMALL) -> None:
    """Hold what the network saves for the backward pass in the main memory; validation saves nothing."""
    body = network.base_model
    entered: list[Offloading] = []

    def enter(*called: object) -> None:
        entered.append(Offloading(body, least))
        entered[-1].__enter__()

    def leave(*called: object) -> None:
        entered.pop().__exit__()

    body.register_forward_pre_hook(enter)
    body.register_forward_hook(leave, always_call=True)


def apply(choice: Literal["auto", "keep", "recompute", "offload"], network: PreTrainedModel, plan: Plan) -> list[str]:
    """Put the plan of activations into a network that is about to be trained.

    Args:
        choice: ``tune.engine.activations``, checked before by :func:`check`.
        network: With the method attached.
        plan: Says how many blocks are computed again.

    Returns:
        What the user should know.
    """
    if choice == "offload":
        offload(network)
        return ["what the backward pass needs is held in the main memory"]
    if plan.recomputed:
        recompute(network, plan.recomputed)
        return [
            f"{plan.recomputed} of {len(blocks(network))} blocks are computed again in the backward pass: the training "
            f"needs about {plan.total_bytes / 1e9:.1f} GB of {plan.available_bytes / 1e9:.1f} GB that are free"
        ]
    if choice == "auto" and not recomputable(network):
        return [f"activations are kept: {type(network).__name__} has no blocks that can be computed again"]
    return []
