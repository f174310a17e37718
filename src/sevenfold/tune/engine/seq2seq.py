"""Encoder-decoder networks: what stands before the first target is read, the rest is said."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from sevenfold.errors import ModelError
from sevenfold.tune.engine.padded import Grouping, rectangle
from sevenfold.tune.engine.passes import Pass


@dataclass
class Exchange:
    """A document with targets, in two halves.

    Args:
        read: Ids for the encoder: those before the first target.
        said: Ids that the decoder predicts: from the first target to the last one.
        places: Where in ``said`` the targets are.
    """

    read: Tensor
    said: Tensor
    places: list[int]

    @property
    def size(self) -> tuple[int, int]:
        """Tokens of the encoder and of the decoder."""
        return len(self.read), len(self.said)

    def decoder_input(self, start: int) -> Tensor:
        """What the decoder sees: its start token, then ``said`` one place later."""
        return torch.cat([self.said.new_tensor([start]), self.said[:-1]])


def exchanges(batch: Pass) -> list[Exchange]:
    """The documents of a pass that have targets, in order."""
    ids, sources = batch.ids_1T[0], batch.sources_N.tolist()
    found = []
    for start, end in pairwise(batch.bounds):
        own = sources[bisect_left(sources, start) : bisect_left(sources, end)]
        if own:
            first = own[0] + 1
            found.append(Exchange(ids[start:first], ids[first : own[-1] + 2], [place + 1 - first for place in own]))
    return found


def decoder_start(network: Any) -> int:
    """The id with which the decoder begins, as in generation.

    Raises:
        ModelError: The configuration names none.
    """
    configs = (network.config, network.generation_config)
    for name in ("decoder_start_token_id", "bos_token_id"):
        for config in configs:
            found = getattr(config, name, None)
            if isinstance(found, int):
                return found
    raise ModelError(
        f"{type(network).__name__} does not say with which token its decoder begins",
        expected="decoder_start_token_id in config.json",
    )


class EncoderDecoder:
    """Equals the network's plain forward on each document's two halves alone.

    Args:
        network: An encoder-decoder with its head.
        pad: The id that fills rectangles.
        grouping: Which documents share a rectangle.
    """

    def __init__(self, network: Any, pad: int, grouping: Grouping) -> None:
        self.encoder, self.decoder = network.get_encoder(), network.get_decoder()
        self.start, self.pad, self.grouping = decoder_start(network), pad, grouping

    def __call__(self, batch: Pass) -> Tensor:
        """The decoder's states from which targets are predicted, ``N x D``."""
        documents = exchanges(batch)
        found: dict[int, Tensor] = {}
        for group in self.grouping([document.size for document in documents]):
            states_BLD = self.rectangle([documents[index] for index in group])
            for index, states_LD in zip(group, states_BLD, strict=True):
                found[index] = states_LD[documents[index].places]
        return torch.cat([found[index] for index in range(len(documents))])

    def rectangle(self, documents: list[Exchange]) -> Tensor:
        """The decoder's states, ``B x L x D``."""
        read_BS, mask_BS = rectangle([document.read for document in documents], self.pad)
        said_BL, mask_BL = rectangle([document.decoder_input(self.start) for document in documents], self.pad)
        encoded_BSD = self.encoder(input_ids=read_BS, attention_mask=mask_BS).last_hidden_state
        states: Tensor = self.decoder(
            input_ids=said_BL,
            attention_mask=mask_BL,
            encoder_hidden_states=encoded_BSD,
            encoder_attention_mask=mask_BS,
            use_cache=False,
        ).last_hidden_state
        return states
