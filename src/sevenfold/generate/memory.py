"""Attention over what was read before, through transformers' public attention interface.

What the network keeps of earlier tokens lies here instead of in a cache of transformers. A memory says where new keys
and values go and what each query sees: :class:`Reading` for texts side by side,
:class:`~sevenfold.generate.slots.Slots` for their next tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sevenfold.generate.paths import Block, Ranges, Sheet, blocks_of
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Pair = tuple[Tensor, Tensor]
    """Keys and values of one layer, each ``G x T x D``."""

NAME = "sevenfold_memory"
BLOCK = 256
"""Tokens of several texts that attend in one product."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a layer attends.

    Args:
        scaling: Factor of the scores.
        window: Tokens that a position sees before it, itself included; None: all.
        cap: Scores go no further than this, by ``cap * tanh(scores / cap)``.
    """

    scaling: float
    window: int | None = None
    cap: float | None = None


class Memory(Protocol):
    """Where new keys and values go and what each query sees."""

    def attend(self, layer: nn.Module, q: Tensor, k: Tensor, v: Tensor, way: Way) -> Tensor:
        """Attention of new tokens, ``B x H x T x D``, whose keys and values are ``B x G x T x D``."""
        ...


_current: ContextVar[Memory] = ContextVar("memory")


def attend(  # noqa: PLR0913 (transformers decides what an attention function takes)
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    is_causal: bool | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention by the memory of the moment, in the form that transformers calls it.

    Raises:
        NotImplementedError: The layer asks for something that memories do not do.
    """
    for name in ("s_aux", "position_bias"):
        if others.get(name) is not None:
            raise NotImplementedError(f"attention with {name}")
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    if attention_mask is not None or not causal or dropout:
        raise NotImplementedError("attention that is not plainly causal")
    way = Way(scaling or query.shape[-1] ** -0.5, sliding_window, softcap)
    # Under autocast, rotated queries and keys come in float32 beside values in the run's precision.
    found = _current.get().attend(module, query.to(value.dtype), key.to(value.dtype), value, way)
    return found.transpose(1, 2), None


@contextmanager
def remembering(network: Any) -> Iterator[None]:
    """The network with this attention inside the block.

    Raises:
        ValueError: The network does not take an attention from outside.
    """
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    used = network.config._attn_implementation
    with quiet():
        network.set_attn_implementation(NAME)
    try:
        yield
    finally:
        with quiet():
            network.set_attn_implementation(used)


def logits_of(network: Any, memory: Memory, ids_BT: Tensor, positions_BT: Tensor, sources: Tensor | int) -> Tensor:
    """The logits behind some of the new tokens, ``B x N x V``.

    Args:
        network: Inside of :func:`remembering`.
        memory: What it knows.
        ids_BT: The new tokens.
        positions_BT: Their positions.
        sources: Their places, or how many of the last.
    """
    token = _current.set(memory)
    try:
        logits: Tensor = network(
            input_ids=ids_BT, position_ids=positions_BT, use_cache=False, logits_to_keep=sources
        ).logits
    finally:
        _current.reset(token)
    return logits


@dataclass
class Reading:
    """Texts side by side in one row; each token sees what its text has before it.

    Equals ``scaled_dot_product_attention`` over the held and the new tokens with the mask "on the path of the same
    text and not later".

    Args:
        sheet: Which token belongs to which text.
        held: Keys and values of the held tokens by layer.
        keeps: Whether those of this sheet are kept, in ``kept``, behind the held ones.
    """

    sheet: Sheet
    held: dict[nn.Module, Pair]
    keeps: bool
    kept: dict[nn.Module, Pair] = field(default_factory=dict)
    masks: dict[tuple[int, int | None], Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.blocks = blocks_of(self.sheet, BLOCK)

    def attend(self, layer: nn.Module, q: Tensor, k: Tensor, v: Tensor, way: Way) -> Tensor:
        """Block by block."""
        import torch

        if self.sheet.held:
            before_k, before_v = self.held[layer]
            k, v = torch.cat([before_k[None], k], 2), torch.cat([before_v[None], v], 2)
        if self.keeps:
            self.kept[layer] = k[0], v[0]
        pieces = []
        for block in self.blocks:
            own = q[:, :, block.start : block.end], gathered(k, block.seen), gathered(v, block.seen)
            if len(block.stretches) == 1:
                pieces.append(seen(*own, way))
            else:
                pieces.append(masked(*own, self.mask(block, way.window, q), way))
        return torch.cat(pieces, 2) if len(pieces) > 1 else pieces[0]

    def mask(self, block: Block, window: int | None, like: Tensor) -> Tensor:
        """What is added to a block's scores, ``L x S``; the same in all layers."""
        import torch

        key = (block.start, window)
        if key not in self.masks:
            held = self.sheet.held
            width = sum(high - low for low, high in block.seen)
            allowed = torch.zeros(block.end - block.start, width, dtype=torch.bool)
            for stretch in block.stretches:
                path = [*stretch.before, (held + stretch.start, held + stretch.end)]
                columns = [place for low, high in block.columns(path) for place in range(low, high)]
                length, reach = stretch.end - stretch.start, len(columns)
                places = torch.arange(reach)
                distance = places[reach - length :, None] - places
                sees = (distance >= 0) & (distance < (window or reach))
                allowed[stretch.start - block.start : stretch.end - block.start, columns] = sees
            mask = torch.zeros(allowed.shape, dtype=like.dtype).masked_fill_(~allowed, float("-inf"))
            self.masks[key] = mask.to(like.device)
        return self.masks[key]

    def carried(self) -> dict[nn.Module, Pair]:
        """What the next sheet holds."""
        return {layer: self.of_path(layer, self.sheet.carry) for layer in self.kept} if self.sheet.carry else {}

    def of_path(self, layer: nn.Module, path: Ranges) -> Pair:
        """A layer's keys and values along a path, ``G x T x D``."""
        k, v = self.kept[layer]
        return gathered(k, path), gathered(v, path)


def gathered(tensor: Tensor, ranges: Sequence[tuple[int, int]]) -> Tensor:
    """The places of some ranges of the dimension before the last, one behind another."""
    import torch

    parts = [tensor[..., low:high, :] for low, high in ranges]
    return parts[0] if len(parts) == 1 else torch.cat(parts, -2)


def seen(q: Tensor, k: Tensor, v: Tensor, way: Way) -> Tensor:
    """What the queries of the last places of a text see, ``1 x H x L x D``."""
    from sevenfold.generate.products import LONGEST, causal_mask, fused

    length, reach = q.shape[2], k.shape[2]
    if q.device.type == "cpu" and reach <= LONGEST:
        mask = causal_mask(length, reach, way.window, q.dtype)
        return masked(q, k, v, mask, way)
    if way.cap is None:
        return fused(q, k, v, way.window, 0.0, way.scaling)
    return capped_attention(q, k, v, way)


def capped_attention(q: Tensor, k: Tensor, v: Tensor, way: Way) -> Tensor:
    """The same with capped scores, which torch's fused attention does not know, for long texts and other devices."""
    import torch

    from sevenfold.generate.products import allowed

    length, reach = q.shape[2], k.shape[2]
    hidden = ~allowed(length, reach, way.window, q.device, causal=True)
    mask = torch.zeros(length, reach, dtype=q.dtype, device=q.device).masked_fill_(hidden, float("-inf"))
    return masked(q, k, v, mask, way)


def masked(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, way: Way) -> Tensor:
    """Plain products with what is added to scores, ``1 x H x L x D``."""
    import torch

    from sevenfold.generate.products import attention_weights

    return torch.bmm(attention_weights(q, k, mask, way.scaling, way.cap), v[0]).view(*q.shape[:3], -1)


def bytes_of(kept: dict[nn.Module, Pair]) -> int:
    """Bytes of keys and values of one token in all layers."""
    return sum(part[:, :1].numel() * part.itemsize for pair in kept.values() for part in pair)


def on(device: torch.device, values: Sequence[int] | Sequence[list[int]]) -> Tensor:
    """Numbers, or rows of them, on a device."""
    import torch

    return torch.tensor(values, device=device)
