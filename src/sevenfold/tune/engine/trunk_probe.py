"""What a network's lowest blocks give, tried on two documents: what is frozen, what is random, what can be skipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sevenfold.chat.encoder import TokenSequence
from sevenfold.tune.engine.blocks import stack
from sevenfold.tune.engine.passes import Pass, pack

if TYPE_CHECKING:
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.trunk import Trunk

PROBE = (53, 18)
"""Tokens of the documents on which a network is tried; their sum is no size of a network."""


def states_of(output: Any) -> Tensor:
    """The hidden states in what a block gives."""
    states: Tensor = output[0] if isinstance(output, tuple) else output
    return states


def trial(forward: Forward, lengths: Sequence[int]) -> Pass:
    """Documents of ids from all over the vocabulary, every token a target."""
    vocabulary = forward.network.config.get_text_config().vocab_size
    ids = torch.linspace(0, vocabulary - 1, sum(lengths)).long().split(list(lengths))
    documents = [TokenSequence(part.tolist(), [1.0] * len(part)) for part in ids]
    return pack(documents).to(str(forward.device))


class Probe:
    """A network tried on two documents, without a trace in the generators of random numbers.

    Args:
        forward: The network as it trains.
    """

    def __init__(self, forward: Forward) -> None:
        self.forward = forward
        self.batch = trial(forward, PROBE)
        self.blocks = stack(forward.network)[1]

    def run(self, seed: int = 0) -> tuple[list[Any], Tensor]:
        """What each block gives, and the log-probabilities; ``seed`` is that of randomness such as dropout."""
        outputs: list[Any] = []

        def note(block: nn.Module, inputs: object, output: Any) -> None:
            outputs.append(output)

        hooks = [block.register_forward_hook(note) for block in self.blocks]
        try:
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                return outputs, self.forward(self.batch)
        finally:
            for hook in hooks:
                hook.remove()

    def random(self, depth: int) -> bool:
        """Whether what the trunk gives hangs on chance."""
        one, other = (states_of(self.run(seed)[0][depth - 1]) for seed in (0, 1))
        return not torch.equal(one, other)

    def equal(self, trunk: Trunk) -> bool:
        """Whether a pass without the trunk's file, one that fills it and one that reads from it give the same bits.

        Tried without dropout, which above the trunk may well be.
        """
        network = self.forward.network
        network.eval()
        try:
            with torch.no_grad(), trunk.paused():
                expected = self.run()[1]
            with torch.no_grad():
                return all(torch.equal(self.run()[1], expected) for _ in range(2)) and trunk.skipped == 1
        finally:
            network.train()


def frozen(outputs: Sequence[Any]) -> int:
    """How many of the lowest blocks lie below everything that moves: autograd follows none of what they give."""
    moving = (number for number, output in enumerate(outputs) if states_of(output).requires_grad)
    return next(moving, len(outputs))
