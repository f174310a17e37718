"""From states to the log-probability of each target, whatever the network does to its logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from sevenfold.errors import ModelError
from sevenfold.kind import kind_of
from sevenfold.tune.engine.head import chunk_of, logits_of, target_logprobs
from sevenfold.tune.engine.probe import TOLERANCES, Truth, trunk

LOUD = 1000.0
"""Size of the largest logit with which a head is tried: a cap shows only where logits are large."""


@dataclass
class ChunkedHead:
    """Hidden states times the head's weight, in chunks.

    Equals ``log_softmax(cap(scale * hidden @ weight.T + bias))[labels]``.

    Args:
        network: Its output embeddings hold the weight and perhaps a bias.
        precision: The type of the product.
        scale: A constant factor of the logits.
        offset: A bias that is no part of the output embeddings (BART's ``final_logits_bias``), ``V``.
        cap: Logits go no further than this, by ``cap * tanh(logits / cap)``.
        before: What the network does to states before that product (an encoder's dense layer and norm).
    """

    network: Any
    precision: torch.dtype
    scale: float = 1.0
    offset: Tensor | None = None
    cap: float | None = None
    before: Callable[[Tensor], Tensor] | None = None

    @property
    def name(self) -> str:
        """What the head does, for notes and tables."""
        parts = {
            "transform": self.before is not None,
            "bias": self.bias is not None,
            "scale": self.scale != 1.0,
            "cap": self.cap is not None,
        }
        return ", ".join(["chunked", *(part for part, used in parts.items() if used)])

    @property
    def bias(self) -> Tensor | None:
        """What is added to the logits, ``V``."""
        own: Tensor | None = getattr(self.network.get_output_embeddings(), "bias", None)
        return self.offset if own is None else own

    def inputs(self, states_ND: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """States, weight and bias as the product takes them."""
        states_ND = states_ND if self.before is None else self.before(states_ND)
        states_ND = states_ND if self.scale == 1.0 else states_ND * self.scale
        bias = self.bias
        weight_VD = self.network.get_output_embeddings().weight.to(self.precision)
        return states_ND.to(self.precision), weight_VD, None if bias is None else bias.to(self.precision)

    def __call__(self, states_ND: Tensor, labels_N: Tensor) -> Tensor:
        """Log-probabilities, ``N``, float32, nats."""
        states_ND, weight_VD, bias_V = self.inputs(states_ND)
        return target_logprobs(states_ND, weight_VD, labels_N, bias_V, self.cap)

    def logits(self, states_ND: Tensor) -> Tensor:
        """All logits at once, ``N x V``; for trying."""
        states_ND, weight_VD, bias_V = self.inputs(states_ND)
        return logits_of(states_ND, weight_VD, bias_V, self.cap)


@dataclass
class OwnHead:
    """The network's own way from states to logits, in chunks that are computed again backward.

    Equals ``log_softmax(network(ids).logits)[labels]``: the network is called with a part in the place of its trunk
    that gives it the states.

    Args:
        network: The network.
    """

    network: Any
    name = "own"

    def __call__(self, states_ND: Tensor, labels_N: Tensor) -> Tensor:
        """Log-probabilities, ``N``, float32, nats."""
        chunk = chunk_of(self.network.get_input_embeddings().weight.shape[0])
        found = [
            checkpoint(self.logprobs, states, labels, use_reentrant=False, preserve_rng_state=False)
            for states, labels in zip(states_ND.split(chunk), labels_N.split(chunk), strict=True)
        ]
        return torch.cat(found)

    def logprobs(self, states_ND: Tensor, labels_N: Tensor) -> Tensor:
        """The plain computation of one chunk."""
        logprobs_NV = torch.log_softmax(self.logits(states_ND), -1)
        return logprobs_NV.gather(-1, labels_N[:, None])[:, 0]

    def logits(self, states_ND: Tensor) -> Tensor:
        """All logits at once, ``N x V``, float32."""
        name = next(name for name, part in self.network.named_modules() if part is trunk(self.network))
        parent, _, child = name.rpartition(".")
        owner = self.network.get_submodule(parent)
        body = getattr(owner, child)
        setattr(owner, child, Given(states_ND))
        try:
            logits_1NV = self.network(**self.inputs(states_ND)).logits
        finally:
            setattr(owner, child, body)
        logits_NV: Tensor = logits_1NV[0].float()
        return logits_NV

    def unprojected(self, states_ND: Tensor) -> Tensor:
        """What the network's last product reads, ``N x D``: its own way to the logits with that product left out."""
        layer = self.network.get_output_embeddings()
        layer.forward = same
        try:
            return self.logits(states_ND).to(states_ND.dtype)
        finally:
            # The class's own stands behind it.
            del layer.forward

    def inputs(self, states_ND: Tensor) -> dict[str, Any]:
        """Ids that nobody reads, in the right number."""
        ids_1N = torch.zeros(1, len(states_ND), dtype=torch.long, device=states_ND.device)
        if not self.network.config.is_encoder_decoder:
            return {"input_ids": ids_1N, "use_cache": False}
        return {"decoder_input_ids": ids_1N, "encoder_outputs": Answer(states_ND[None]), "use_cache": False}


def at(head: ChunkedHead | OwnHead, temperature: float) -> ChunkedHead | OwnHead:
    """A head whose logits are divided by a temperature.

    Raises:
        ModelError: Logits are more than a product of states and weight.
    """
    if temperature == 1.0:
        return head
    if isinstance(head, OwnHead) or head.cap is not None or head.bias is not None or head.before is not None:
        raise ModelError(
            "the logits of this network are more than a product of states and weight, so they cannot be divided by a "
            "temperature in chunks",
            next_step="temperature: 1",
        )
    return replace(head, scale=head.scale / temperature)


def same(states: Tensor) -> Tensor:
    """States as they are."""
    return states


class Given(nn.Module):
    """Stands where a network has its trunk and gives states that are known already."""

    def __init__(self, states_ND: Tensor) -> None:
        super().__init__()
        self.states_ND = states_ND

    def forward(self, *arguments: Any, **named: Any) -> Answer:
        """The states, as a trunk gives them."""
        return Answer(self.states_ND[None])


@dataclass
class Answer:
    """A trunk's output of which everything but the states is None."""

    last_hidden_state: Tensor

    def __getitem__(self, index: int) -> Tensor:
        return (self.last_hidden_state,)[index]

    def __len__(self) -> int:
        return 1

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def choose(network: Any, truth: Truth, precision: torch.dtype) -> tuple[ChunkedHead | OwnHead, list[str]]:
    """The chunked head where one equals the network's own, else its own; with a note in the second case.

    Raises:
        ModelError: The logits depend on more than the last states.
    """
    own = OwnHead(network)
    real_NV = own.logits(truth.states_ND)
    if not distance(real_NV, truth.logits_NV) <= TOLERANCES[precision]:
        raise ModelError(f"the logits of {type(network).__name__} depend on more than its last states")
    # States that show a bias (none at all), a factor (real ones) and a cap (very large ones).
    loud_ND = truth.states_ND * (LOUD / max(float(real_NV.abs().max()), 1e-3))
    tries = torch.cat([torch.zeros_like(truth.states_ND), truth.states_ND, loud_ND])
    expected = own.logits(tries).chunk(3)

    def off(head: ChunkedHead) -> float:
        return max(distance(*both) for both in zip(head.logits(tries).chunk(3), expected, strict=True))

    tried = [(off(head), head) for head in candidates(network, precision)]
    best, head = min(tried, key=lambda item: item[0], default=(1.0, None))
    if head is not None and best <= TOLERANCES[precision] / 2:
        return head, []
    why = f"its logits are more than a product of states and weight with a bias, factor or cap (off by {best:.1%})"
    return own, [f"the head is the network's own, in chunks: {why}. It costs more memory and time for each target"]


def distance(found_NV: Tensor, expected_NV: Tensor) -> float:
    """The largest difference as a share of the largest logit."""
    largest = float((found_NV - expected_NV).abs().max())
    return largest / max(float(expected_NV.abs().max()), 1e-3)


def candidates(network: Any, precision: torch.dtype) -> Iterator[ChunkedHead]:
    """Chunked heads that the configuration makes likely, the plainest first.

    Numbers come from every field that speaks of logits, whatever it is called in full, and T5's factor from the width.
    """
    layer = network.get_output_embeddings()
    if type(layer).forward is not nn.Linear.forward:
        return
    fields = network.config.get_text_config().to_dict()
    numbers = [
        float(value)
        for name, value in fields.items()
        if ("logit" in name or "lm_head" in name) and type(value) in (int, float) and value
    ]
    scales = dict.fromkeys([1.0, *numbers, *(1 / number for number in numbers), layer.in_features**-0.5])
    offsets = [None, *(part.flatten() for part in network.buffers(recurse=False) if part.numel() == layer.out_features)]
    befores = [None, OwnHead(network).unprojected] if kind_of(network.config) == "encoder" else [None]
    for cap in (None, *numbers):
        for scale in scales:
            for offset in offsets:
                for before in befores:
                    yield ChunkedHead(network, precision, scale, offset, cap, before)
