"""Trying a way to call a network against the plain call of each document alone, on a few tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sevenfold.chat.encoder import TokenSequence
from sevenfold.kind import kind_of
from sevenfold.tune.engine import routes
from sevenfold.tune.engine.passes import Pass, pack
from sevenfold.tune.engine.seq2seq import decoder_start, exchanges

LENGTHS = (5, 7)
"""Tokens of the probe's documents: of two lengths, so that what is padded or restarts shows."""
TOLERANCES = {torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.1}
"""How far the middle token of a document may be off, as a share of its state's length."""
Call = Callable[[Pass], Tensor]
"""From a pass to the states from which targets are predicted, ``N x D``."""


@dataclass
class Truth:
    """What the plain call says.

    Args:
        batch: The probe's documents.
        states_ND: The states from which targets are predicted.
        logits_NV: Their logits.
        read: Tokens on which the states of the last document depend.
    """

    batch: Pass
    states_ND: Tensor
    logits_NV: Tensor
    read: int

    @property
    def both_directions(self) -> bool:
        """Whether a token reads what stands behind it: the last token of a document is no target's source."""
        return self.read == LENGTHS[-1]

    def refusal(self, network: Any, call: Call, precision: torch.dtype) -> str | None:
        """Why a call does not equal the plain one; None where it does.

        Two things are compared: the states, within the rounding of ``precision``, and on how many tokens the last
        document depends. The second is a count of gradients that are not zero, which no rounding hides: a network
        that was never trained hardly moves when it reads too much.
        """
        states_ND, read = observe(network, call, self.batch)
        error = difference(states_ND, self.states_ND, self.batch)
        if not error <= TOLERANCES[precision]:
            return f"states differ from those of each document alone (by {error:.0e} of their length)"
        if read != self.read:
            return f"a document reads {read} tokens where it has {self.read}"
        return None


def trial(network: Any) -> Pass:
    """Two documents of distinct ids from the middle of the vocabulary; what an encoder would read differs in length."""
    vocabulary = network.get_input_embeddings().weight.shape[0]
    generator = torch.Generator().manual_seed(1)
    ids = (vocabulary // 4 + torch.randperm(vocabulary // 2, generator=generator)).tolist()
    documents = [ids[: LENGTHS[0]], ids[LENGTHS[0] : sum(LENGTHS)]]
    weights = [[0.0] * (2 + number) + [1.0] * (len(part) - 2 - number) for number, part in enumerate(documents)]
    return pack([TokenSequence(*both) for both in zip(documents, weights, strict=True)])


def apart(batch: Pass) -> list[Pass]:
    """A pass for each document."""
    singles = []
    for number, (start, end) in enumerate(zip(batch.bounds, batch.bounds[1:], strict=False)):
        own = (batch.sources_N >= start) & (batch.sources_N < end)
        singles.append(
            Pass(
                ids_1T=batch.ids_1T[:, start:end],
                positions_1T=batch.positions_1T[:, start:end],
                bounds=[0, end - start],
                sources_N=batch.sources_N[own] - start,
                labels_N=batch.labels_N[own],
                weights_N=batch.weights_N[own],
                tasks=batch.tasks[number : number + 1],
            )
        )
    return singles


def truth(network: Any, batch: Pass) -> Truth:
    """The plain call of each document alone, with the attention that the network has now."""
    singles = apart(batch)
    logits: list[Tensor] = []

    def call(single: Pass) -> Tensor:
        states_ND, logits_NV = plain(network, single)
        logits.append(logits_NV.detach())
        return states_ND

    with torch.no_grad():
        states = [call(single) for single in singles[:-1]]
    last_ND, read = observe(network, call, singles[-1])
    return Truth(batch, torch.cat([*states, last_ND]), torch.cat(logits).float(), read)


def plain(network: Any, document: Pass) -> tuple[Tensor, Tensor]:
    """One document through the network as transformers calls it: states ``N x D`` and logits ``N x V`` of targets."""
    inputs: dict[str, Tensor] = {"input_ids": document.ids_1T}
    places: Any = document.sources_N
    if network.config.is_encoder_decoder:
        (exchange,) = exchanges(document)
        said_1L = exchange.decoder_input(decoder_start(network))[None]
        inputs, places = {"input_ids": exchange.read[None], "decoder_input_ids": said_1L}, exchange.places
    seen: list[Any] = []
    hook = trunk(network).register_forward_hook(lambda module, arguments, output: seen.append(output))
    try:
        with routes.of_pass(document):
            logits = network(**inputs, use_cache=False).logits
    finally:
        hook.remove()
    return seen[-1].last_hidden_state[0][places], logits[0][places]


def trunk(network: Any) -> Any:
    """The part whose output the head reads: the decoder, as transformers finds it, else the largest part.

    What transformers takes for the decoder of an encoder may be its head.
    """
    if kind_of(network.config) == "encoder":
        return network.base_model
    found = network.get_decoder()
    if found is not network:
        return found
    return max(network.children(), key=lambda part: sum(weight.numel() for weight in part.parameters()))


def observe(network: Any, call: Call, batch: Pass) -> tuple[Tensor, int]:
    """The states that a call gives, and on how many tokens those of the last document depend."""
    embedded: list[Tensor] = []

    def cut(module: nn.Module, arguments: object, output: Tensor) -> Tensor:
        embedded.append(output.detach().requires_grad_())
        return embedded[-1]

    hooks = [module.register_forward_hook(cut) for module in embeddings(network)]
    try:
        with torch.enable_grad(), routes.of_pass(batch):
            states_ND = call(batch)
            last_MD = states_ND[batch.sources_N >= batch.bounds[-2]]
    finally:
        for hook in hooks:
            hook.remove()
    # A direction drawn at random: a norm leaves sums and squares of states as they are.
    direction = torch.randn(last_MD.shape, generator=torch.Generator().manual_seed(2)).to(last_MD)
    gradients = torch.autograd.grad(last_MD, embedded, direction, allow_unused=True)
    read = sum(int((gradient != 0).any(-1).sum()) for gradient in gradients if gradient is not None)
    return states_ND.detach(), read


def embeddings(network: Any) -> set[nn.Module]:
    """The layers that turn tokens into vectors."""
    readers = [network]
    if network.config.is_encoder_decoder:
        readers = [network.get_encoder(), network.get_decoder()]
    return {reader.get_input_embeddings() for reader in readers}


def difference(found_ND: Tensor, expected_ND: Tensor, batch: Pass) -> float:
    """How far states are off: of each document the middle token, of these the worst.

    The middle is taken because rounding may send a few tokens to another expert of a mixture, which is no fault.
    """
    found_ND, expected_ND = found_ND.float(), expected_ND.float()
    errors_N = (found_ND - expected_ND).norm(dim=-1) / expected_ND.norm(dim=-1)
    first_N = batch.sources_N < batch.bounds[1]
    return max(float(errors_N[first_N].median()), float(errors_N[~first_N].median()))
