"""One forward pass: from a packed row to the log-probability of each target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.engine.documents import NAME
from sevenfold.tune.engine.head import TargetLogprobs
from sevenfold.tune.engine.passes import Pass, pack

if TYPE_CHECKING:
    from transformers import PreTrainedModel

MAGNIFIED = 100.0
"""Factor of the states with which the head is tried."""


class Forward:
    """The network as training calls it.

    Equals ``log_softmax(network(ids, mask of documents).logits)[targets]``. Parts that a network cannot use are left
    out one by one, and :attr:`notes` says which and why: attention by document (else one mask over the row), the
    chunked head (else the network's own head, on targets only).

    Args:
        network: A causal model, on its device, attention implementation :data:`documents.NAME` or another.
        precision: The type of matrix products; a network held in another type runs under autocast.
    """

    def __init__(self, network: PreTrainedModel, precision: torch.dtype) -> None:
        self.network, self.precision = network, precision
        self.notes: list[str] = []
        self.casts = network.dtype != precision or any(
            weight.dtype != precision for weight in own_weights(network) if weight.requires_grad
        )
        self.by_document = self.takes_documents()
        self.chunked_head = self.head_is_plain()

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return self.network.device

    def autocast(self) -> AbstractContextManager[object]:
        """Products at the run's precision where weights that they read are held in another type."""
        if not self.casts:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.precision)

    def __call__(self, batch: Pass) -> Tensor:
        """Log-probabilities of the targets, ``N``, float32, nats."""
        batch = batch.to(str(self.device))
        with self.autocast():
            if not self.chunked_head:
                logits_NV = self.network(**self.inputs(batch), logits_to_keep=batch.sources_N).logits[0].float()
                return torch.log_softmax(logits_NV, -1).gather(-1, batch.labels_N[:, None])[:, 0]
            hidden_ND = self.hidden(batch)[batch.sources_N].to(self.precision)
        head = self.network.get_output_embeddings().weight.to(self.precision)
        logprobs_N: Tensor = TargetLogprobs.apply(hidden_ND, head, batch.labels_N)
        return logprobs_N

    def hidden(self, batch: Pass) -> Tensor:
        """The last hidden states, ``T x D``."""
        states: Tensor = self.network.base_model(**self.inputs(batch)).last_hidden_state[0]
        return states

    def inputs(self, batch: Pass) -> dict[str, object]:
        """What the network is called with."""
        documents = {"document_bounds": batch.bounds} if self.by_document else {}
        return {"input_ids": batch.ids_1T, "position_ids": batch.positions_1T, "use_cache": False, **documents}

    def takes_documents(self) -> bool:
        """Whether every attention layer of the network can be given document bounds; tried on two documents."""
        if self.network.config._attn_implementation != NAME:
            return False
        self.by_document = True
        try:
            with torch.no_grad(), self.autocast():
                self.network.base_model(**self.inputs(probe().to(str(self.device))))
        except (NotImplementedError, TypeError) as error:
            self.use_one_mask()
            self.notes.append(f"attention uses one mask over the packed row: {error}")
            return False
        return True

    def use_one_mask(self) -> None:
        """Let transformers' own attention mask the documents, which it finds by the positions that restart."""
        try:
            self.network.set_attn_implementation("sdpa")
        except ValueError:
            self.network.set_attn_implementation("eager")

    def head_is_plain(self) -> bool:
        """Whether logits are just hidden states times the head's weight (no cap, no scale, no bias); tried.

        The states are magnified on their way to the head, for a cap shows only where logits are large.
        """
        weight = getattr(self.network.get_output_embeddings(), "weight", None)
        seen: list[Tensor] = []

        def magnify(module: nn.Module, arguments: object, output: Any) -> Any:
            output.last_hidden_state = output.last_hidden_state * MAGNIFIED
            seen.append(output.last_hidden_state[0])
            return output

        hook = self.network.base_model.register_forward_hook(magnify)
        try:
            with torch.no_grad(), self.autocast():
                expected = self.network(**self.inputs(probe().to(str(self.device)))).logits[0].float()
        finally:
            hook.remove()
        plain = isinstance(weight, Tensor) and same(expected, (seen[0].to(weight.dtype) @ weight.detach().t()).float())
        if not plain:
            self.notes.append("the head is the network's own, on targets only: its logits are more than a product")
        return plain


def own_weights(network: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters of the network's own layers; the engine's layers cast theirs where they use them."""
    if type(network).__module__.startswith("sevenfold."):
        return
    yield from network.parameters(recurse=False)
    for part in network.children():
        yield from own_weights(part)


def same(expected: Tensor, found: Tensor) -> bool:
    """Whether two computations of logits agree within bfloat16's rounding."""
    return torch.allclose(expected, found, rtol=1e-2, atol=1e-2 * float(expected.abs().max()))


def probe() -> Pass:
    """Two short documents for trying what a network takes."""
    return pack([TokenSequence([0, 1, 2], [0.0, 1.0, 1.0]), TokenSequence([2, 1], [0.0, 1.0])])
