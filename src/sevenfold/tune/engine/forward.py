"""One forward pass: from a packed row to the log-probability of each target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from sevenfold.generate.trying import revealing
from sevenfold.tune.engine import heads, layouts, routes
from sevenfold.tune.engine.passes import Pass, unrolled
from sevenfold.tune.engine.probe import trial, truth

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.tune.beside import Working


class Forward:
    """The network as training calls it.

    Equals ``log_softmax(network(document).logits)[targets]`` of each document alone. How documents go through the
    network (:attr:`layout`) and how states become log-probabilities (:attr:`head`) is chosen by trying both on two
    short documents; :attr:`notes` says what could not be used, why, and what that costs.

    Args:
        network: A causal model or an encoder-decoder, on its device.
        precision: The type of matrix products; a network held in another type runs under autocast.

    ``own`` is what an objective has beside the network: a classifier, a value head, a teacher; ``terms`` is what stands
    beside it in the loss; ``both_directions`` says whether a token's state depends on what stands behind it.

    Raises:
        ModelError: No way was found to call the network that equals its plain forward.
    """

    own: nn.Module | None = None
    terms: tuple[Working, ...] = ()

    def __init__(self, network: PreTrainedModel, precision: torch.dtype) -> None:
        self.network, self.precision = network, precision
        self.casts = network.dtype != precision or any(
            weight.dtype != precision for weight in own_weights(network) if weight.requires_grad
        )
        with torch.no_grad(), self.autocast(), revealing(network):
            layouts.use_eager(network)
            expected = truth(network, trial(network).to(str(self.device)))
            self.both_directions = expected.both_directions
            self.layout, notes = layouts.choose(network, expected, precision)
            self.head, more_notes = heads.choose(network, expected, precision)
        self.notes = notes + more_notes

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return self.network.device

    def autocast(self) -> AbstractContextManager[object]:
        """Products at the run's precision where weights that they read are held in another type."""
        if not self.casts:
            return nullcontext()
        # Without gradients each weight is read once, and its copy need not stay.
        return torch.autocast(self.device.type, dtype=self.precision, cache_enabled=torch.is_grad_enabled())

    def __call__(self, batch: Pass) -> Tensor:
        """Log-probabilities of the targets, ``N``, float32, nats."""
        batch = batch.to(str(self.device))
        with self.autocast():
            return self.head(self.hidden(batch), batch.labels_N)

    def states_and_logprobs(self, batch: Pass, temperature: float = 1.0) -> tuple[Tensor, Tensor]:
        """The states from which targets are predicted, ``N x D``, and the targets' log-probabilities, ``N``, in one go.

        Equals ``hidden(batch)`` and, at the temperature 1, ``self(batch)``; else logits are divided by the temperature.
        """
        batch = batch.to(str(self.device))
        with self.autocast():
            states_ND = self.hidden(batch)
            return states_ND, heads.at(self.head, temperature)(states_ND, batch.labels_N)

    def hidden(self, batch: Pass) -> Tensor:
        """The last hidden states from which targets are predicted, ``N x D``; called under :meth:`autocast`."""
        batch = batch if self.layout.branches else unrolled(batch)
        with routes.of_pass(batch):
            return self.layout.call(batch)


def own_weights(network: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters of the network's own layers; the engine's layers cast theirs where they use them."""
    if type(network).__module__.startswith("sevenfold."):
        return
    yield from network.parameters(recurse=False)
    for part in network.children():
        yield from own_weights(part)
