"""How documents go through the network: each way says what it needs and costs; the first that is right is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sevenfold.errors import ModelError
from sevenfold.generate.trying import TRIED
from sevenfold.quiet import quiet
from sevenfold.tune.engine import documents
from sevenfold.tune.engine.padded import Padded, one_by_one, rectangles
from sevenfold.tune.engine.passes import Pass
from sevenfold.tune.engine.probe import Call, Truth, trunk
from sevenfold.tune.engine.seq2seq import EncoderDecoder

COSTS = {
    "documents": "nothing is lost",
    "one mask": "attention also multiplies across documents, which the mask then hides",
    "padded": "up to a quarter of what goes through is padding",
    "alone": "one document at a time, so short ones leave the machine idle",
}
"""What each layout costs, best first."""

UNSETTABLE = "the network does not take this attention"
"""Why a layout is not tried at all."""


@dataclass
class Layout:
    """A way through the network.

    Args:
        name: One of :data:`COSTS`.
        attention: The attention implementation of transformers that it needs.
        call: From a pass to the states from which targets are predicted, ``N x D``.
        branches: Whether it reads branches; otherwise they are unrolled before it.
    """

    name: str
    attention: str
    call: Call
    branches: bool = False


class Documents:
    """A packed row with attention by document.

    Equals the network's plain forward on each document alone.

    Args:
        trunk: The network without its head.
        first: The number of a document's first position.
    """

    def __init__(self, trunk: Any, first: int = 0) -> None:
        self.trunk, self.first = trunk, first

    def __call__(self, batch: Pass) -> Tensor:
        """The states from which targets are predicted, ``N x D``."""
        states: Tensor = self.trunk(
            input_ids=batch.ids_1T,
            position_ids=batch.positions_1T + self.first if self.first else batch.positions_1T,
            use_cache=False,
            document_spans=batch.spans,
        ).last_hidden_state[0]
        return states[batch.sources_N]


class OneMask:
    """A packed row whose mask transformers builds from the positions that restart.

    Equals the network's plain forward on each document alone.
    """

    def __init__(self, trunk: Any) -> None:
        self.trunk = trunk

    def __call__(self, batch: Pass) -> Tensor:
        """The states from which targets are predicted, ``N x D``."""
        states: Tensor = self.trunk(
            input_ids=batch.ids_1T, position_ids=batch.positions_1T, use_cache=False
        ).last_hidden_state[0]
        return states[batch.sources_N]


def candidates(network: Any, both_directions: bool) -> Iterator[Layout]:
    """The layouts that the network may take, best first.

    A stem that reads what stands behind it is another one before each branch, so branches are then read apart.
    """
    pad = getattr(network.config, "pad_token_id", None) or 0
    attentions = plain_attentions(network)
    if network.config.is_encoder_decoder:
        calls: dict[str, Call] = {
            "padded": EncoderDecoder(network, pad, rectangles),
            "alone": EncoderDecoder(network, pad, one_by_one),
        }
    else:
        body = trunk(network)
        for first in first_positions(body):
            yield Layout("documents", documents.register(), Documents(body, first), branches=not both_directions)
        calls = {
            "one mask": OneMask(body),
            "padded": Padded(body, pad, rectangles),
            "alone": Padded(body, pad, one_by_one),
        }
    for name, call in calls.items():
        for attention in attentions:
            yield Layout(name, attention, call)


def first_positions(body: Any) -> list[int]:
    """Numbers that a document's first position may have: where positions begin behind the padding token's (RoBERTa)."""
    tables = (part for name, part in body.named_modules() if name.endswith("position_embeddings"))
    behind = [table.padding_idx + 1 for table in tables if getattr(table, "padding_idx", None) is not None]
    return [0, *behind]


def plain_attentions(network: Any) -> list[str]:
    """The attention implementations to try where documents cannot be told apart by ours, the fastest first."""
    return list(dict.fromkeys(("sdpa", "eager", network.config._attn_implementation)))


def choose(network: Any, truth: Truth, precision: torch.dtype) -> tuple[Layout, list[str]]:
    """The first layout that gives what the plain call gives, and notes on why it is not the best one.

    Raises:
        ModelError: None does.
    """
    refusals: dict[str, str] = {}
    for layout in candidates(network, truth.both_directions):
        reason = refusal(network, layout, truth, precision)
        if reason is None:
            return layout, notes(network, layout, refusals)
        refusals[f"{layout.name} ({layout.attention})"] = reason
    tried = "; ".join(f"{name}: {reason}" for name, reason in refusals.items())
    raise ModelError(
        f"no way was found to call {type(network).__name__} that equals its plain forward",
        where=tried,
        next_step="tune another model, or one of the architectures that the documentation lists",
    )


def refusal(network: Any, layout: Layout, truth: Truth, precision: torch.dtype) -> str | None:
    """Why a layout is not right for the network; None where it is."""
    if not use_attention(network, layout.attention):
        return UNSETTABLE
    try:
        return truth.refusal(network, layout.call, precision)
    except TRIED as error:
        return str(error).split("\n")[0]


def notes(network: Any, layout: Layout, refusals: dict[str, str]) -> list[str]:
    """What the user should know of the choice; nothing of the best one."""
    if layout.name == "documents":
        return []
    said = f"{type(network).__name__} reads documents as {layout.name!r}: {COSTS[layout.name]}"
    # An implementation that a network does not have is no news beside one that it has and that is not right.
    reasons = [f"{name}: {why}" for name, why in refusals.items() if why != UNSETTABLE or name.startswith("documents")]
    return [f"{said}. Not {'; not '.join(reasons)}" if reasons else said]


def use_eager(network: Any) -> None:
    """Set the attention that all others are compared with; a network that takes no other keeps its own."""
    if not use_attention(network, "eager") and network.config._attn_implementation == documents.NAME:
        # It was built with a name that it never asks for, but its masks are made by that name.
        network.config._attn_implementation = "eager"


def use_attention(network: Any, name: str) -> bool:
    """Set an attention implementation of transformers; whether the network takes it."""
    if network.config._attn_implementation == name:
        return True
    with quiet():
        try:
            network.set_attn_implementation(name)
        except (ValueError, ImportError):
            return False
    return bool(network.config._attn_implementation == name)
