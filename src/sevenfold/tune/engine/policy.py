"""The network in training as one that writes: answers drawn from it, what it says of them, and what it said before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.generate.engine import Sampling
from sevenfold.tune.engine import routes
from sevenfold.tune.engine.passes import Pass, pack, split

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.tune.engine.forward import Forward

READ = 4096
"""Tokens that are read at once where no gradient is needed."""
AT_ONCE = 32
"""Rows that transformers' own generation writes at once."""


def answers(
    forward: Forward, encoder: Encoder, prompts: Sequence[TokenSequence], count: int, sampling: Sampling
) -> list[list[list[int]]]:
    """The ids of some answers of the network as it stands to each prompt, no dropout; deterministic for a seed.

    Args:
        forward: The network in training.
        encoder: Its stop tokens; for networks that transformers' own generation has to run.
        prompts: Ids of prompts, and their tasks.
        count: Answers to each.
        sampling: How tokens are chosen.
    """
    from sevenfold.generate.rollouts import fits, rollouts

    found: list[list[list[int]]] = [[] for _ in prompts]
    with writing(forward):
        write = rollouts if fits(forward.network) else slowly(encoder)
        for task in sorted({prompt.task for prompt in prompts}):
            places = [place for place, prompt in enumerate(prompts) if prompt.task == task]
            with routes.all_of(task):
                own = [prompts[place].ids for place in places]
                written = write(forward.network, own, count, sampling, encoder.stop_ids)
            for place, some in zip(places, written, strict=True):
                found[place] = some
    return found


def slowly(encoder: Encoder) -> Callable[..., list[list[list[int]]]]:
    """The same by transformers' own generation: for encoder-decoders, and for memories that are not keys and values."""
    from sevenfold.generate.engines.transformers import TransformersEngine

    def write(
        network: PreTrainedModel, prompts: Sequence[list[int]], count: int, sampling: Sampling, stop_ids: object
    ) -> list[list[list[int]]]:
        copies = count if sampling.temperature > 0 else 1
        engine = TransformersEngine(network, encoder, AT_ONCE)
        flat = engine.generate([prompt for prompt in prompts for _ in range(copies)], sampling)
        ids = [answer.ids for answer in flat]
        grouped = [ids[start : start + copies] for start in range(0, len(ids), copies)]
        return grouped if copies == count else [own * count for own in grouped]

    return write


@contextmanager
def writing(forward: Forward) -> Iterator[None]:
    """The network as it writes: no dropout, adapters merged where they can be, at the run's precision.

    Merged weights are rounded once more; the distance of what is drawn from what a float32 network would say is the
    same with and without (2e-3 nats a token in bfloat16, with adapters of any size), and tokens come two to three times
    as fast. What is learnt of the answers comes from the layers as they train.
    """
    from sevenfold.generate.rollouts import plain_attention

    network, training = forward.network, forward.network.training
    network.eval()
    try:
        with torch.no_grad(), forward.autocast(), plain_attention(network), merged(network):
            yield
    finally:
        network.train(training)


@contextmanager
def merged(network: nn.Module) -> Iterator[None]:
    """Plain layers in the places of adapted ones that can be written so; put back at the end."""
    found = [(name, part) for name, part in network.named_modules() if callable(getattr(part, "merged", None))]
    try:
        for name, part in found:
            put(network, name, plain(part))
        yield
    finally:
        for name, part in found:
            put(network, name, part)


def plain(part: Any) -> nn.Module:
    """The plain form of an adapted layer, in the type of its base."""
    made: nn.Module = part.merged()
    return made.requires_grad_(False)


def put(network: nn.Module, name: str, part: nn.Module) -> None:
    """Set a submodule by its dotted name."""
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, part)


def said(
    forward: Forward, outputs: Callable[[Forward, Pass], Tensor], sequences: Sequence[TokenSequence]
) -> list[Tensor]:
    """What some outputs are for each token of some sequences, no gradients and no dropout; 0 where it is no target.

    Args:
        forward: The network.
        outputs: From a pass to a row for each target, ``N x K`` or ``N``.
        sequences: What is read.

    Returns:
        ``T x K`` or ``T`` for each sequence, float32, on the CPU.
    """
    parts = [part for part in (forward.network, forward.own) if part is not None]
    training = forward.network.training
    found: list[Tensor] = [torch.empty(0)] * len(sequences)
    for part in parts:
        part.eval()
    try:
        with torch.no_grad():
            for group in split([len(sequence) for sequence in sequences], READ):
                fill(forward, outputs, sequences, group, found)
    finally:
        for part in parts:
            part.train(training)
    return found


def fill(
    forward: Forward,
    outputs: Callable[[Forward, Pass], Tensor],
    sequences: Sequence[TokenSequence],
    group: list[int],
    found: list[Tensor],
) -> None:
    """Put what is said of some sequences into their places."""
    starts, placed = [0], []
    for index in group:
        places = [float(starts[-1] + place) for place in range(len(sequences[index]))]
        placed.append(replace(sequences[index], columns={"place": places}))
        starts.append(starts[-1] + len(places))
    batch = pack(placed)
    values = outputs(forward, batch.to(str(forward.device))).float().cpu()
    everywhere = values.new_zeros(starts[-1], *values.shape[1:])
    everywhere[batch.columns["place"].long()] = values
    for index, start, end in zip(group, starts, starts[1:], strict=False):
        found[index] = everywhere[start:end]


class Start(nn.Module):
    """What moves, as it was before the first step, or a slow mean of how it moved since: the reference policy.

    Args:
        network: With the method attached; nothing has moved.
        decay: What remains of the mean with each step; None: it stays as it was.
    """

    def __init__(self, network: nn.Module, decay: float | None) -> None:
        super().__init__()
        self.names = [name for name, weight in network.named_parameters() if weight.requires_grad]
        self.decay = decay
        for number, (_, weight) in enumerate(self.pairs(network)):
            # What never changes is made again by a run that goes on; a mean has to be kept.
            self.register_buffer(f"start_{number}", weight.detach().clone(), persistent=decay is not None)

    def pairs(self, network: nn.Module) -> list[tuple[str, nn.Parameter]]:
        """The parameters that moved, by name."""
        parameters = dict(network.named_parameters())
        return [(name, parameters[name]) for name in self.names]

    def follow(self, network: nn.Module) -> None:
        """Take the network as it stands into the mean."""
        if self.decay is not None:
            with torch.no_grad():
                for number, (_, weight) in enumerate(self.pairs(network)):
                    self.get_buffer(f"start_{number}").lerp_(weight.detach(), 1 - self.decay)

    @contextmanager
    def instead(self, network: nn.Module) -> Iterator[None]:
        """The network with these weights inside the block."""
        pairs = self.pairs(network)
        now = [weight.data for _, weight in pairs]
        try:
            for number, (_, weight) in enumerate(pairs):
                weight.data = self.get_buffer(f"start_{number}")
            yield
        finally:
            for (_, weight), data in zip(pairs, now, strict=True):
                weight.data = data
