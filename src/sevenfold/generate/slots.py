"""Keys and values of texts that are being written: a slot each, taken over by the next text when one ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sevenfold.generate.memory import Reading, Way, on
from sevenfold.generate.paths import Ranges, behind

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from sevenfold.generate.memory import Pair


@dataclass
class Layer:
    """One layer's slots, S of them with C places.

    Args:
        keys: ``S x G x D x C``: as the product with queries reads them.
        values: ``S x G x C x D``.
        stem: Keys ``G x D x P`` and values ``G x P x D`` of what all texts begin with; None: nothing.
    """

    keys: Tensor
    values: Tensor
    stem: Pair | None = None


class Slots:
    """The memory of texts' next tokens, one a slot.

    Equals ``scaled_dot_product_attention`` of each slot's query over the stem and what its own text has behind it.
    Every slot is computed with every step, whether a text is in it or not.

    Args:
        count: Slots, S.
        places: Places of a slot, C: tokens of a text behind the stem.
        stem: Keys and values by layer of what all texts begin with; may be empty.
        device: Where they lie.
    """

    def __init__(self, count: int, places: int, stem: dict[nn.Module, Pair], device: torch.device) -> None:
        import torch

        self.count, self.places = count, places
        self.layers: dict[nn.Module, Layer] = {}
        self.stem = {
            layer: (keys.transpose(1, 2).contiguous(), values.contiguous()) for layer, (keys, values) in stem.items()
        }
        self.before = next(iter(stem.values()))[0].shape[1] if stem else 0
        self.lengths_S = torch.zeros(count, dtype=torch.long, device=device)
        self.rows_S = torch.arange(count, device=device)
        self.masks: dict[int | None, Tensor] = {}
        self.reach = 0

    def lay(self, slots: Sequence[int], reading: Reading, paths: Sequence[Ranges], lengths: Sequence[int]) -> None:
        """Put texts that were read into slots, without the stem."""
        for module, pair in reading.kept.items():
            layer = self.layer(module, pair)
            for slot, path, length in zip(slots, paths, lengths, strict=True):
                keys, values = reading.of_path(module, behind(path, self.before))
                layer.keys[slot, :, :, : length - self.before] = keys.transpose(1, 2)
                layer.values[slot, :, : length - self.before] = values
        self.lengths_S[on(self.lengths_S.device, slots)] = on(self.lengths_S.device, lengths) - self.before

    def layer(self, module: nn.Module, pair: Pair) -> Layer:
        """A layer's slots, made when it is met first."""
        if module not in self.layers:
            (heads, _, width), out = pair[0].shape, pair[1].shape[-1]
            # Places that were never filled are multiplied with a weight of zero, so they must be numbers.
            keys = pair[0].new_zeros(self.count, heads, width, self.places)
            values = pair[1].new_zeros(self.count, heads, self.places, out)
            self.layers[module] = Layer(keys, values, self.stem.get(module))
        return self.layers[module]

    @property
    def positions_S(self) -> Tensor:
        """The position of each slot's next token."""
        return self.lengths_S + self.before

    def start(self) -> None:
        """Before a step: how far the longest text will reach."""
        self.reach = int(self.lengths_S.max()) + 1
        self.masks = {}

    def end(self) -> None:
        """Behind a step: every text is one token longer; one without a place left stays where it is."""
        self.lengths_S = (self.lengths_S + 1).clamp_max(self.places - 1)

    def free(self, slot: int) -> None:
        """Nothing of what a slot holds is read again."""
        self.lengths_S[slot] = 0

    def keep(self, slots: Sequence[int]) -> None:
        """Keep some slots and give the memory of the others back."""
        chosen = on(self.lengths_S.device, slots)
        for layer in self.layers.values():
            layer.keys, layer.values = layer.keys[chosen], layer.values[chosen]
        self.count, self.lengths_S, self.rows_S = len(slots), self.lengths_S[chosen], self.rows_S[: len(slots)]

    def attend(self, layer: nn.Module, q: Tensor, k: Tensor, v: Tensor, way: Way) -> Tensor:
        """One new token a slot: ``S x H x 1 x D`` over keys and values ``S x G x 1 x D``."""
        import torch

        from sevenfold.generate.products import capped

        held, groups = self.layers[layer], k.shape[1]
        held.keys[self.rows_S, :, :, self.lengths_S] = k[:, :, 0]
        held.values[self.rows_S, :, self.lengths_S] = v[:, :, 0]
        q_SGRD = q.reshape(self.count, groups, -1, q.shape[-1])
        scores = capped(torch.matmul(q_SGRD, held.keys[..., : self.reach]) * way.scaling, way.cap)
        values = held.values[:, :, : self.reach]
        if held.stem is None:
            weights = torch.softmax(scores + self.mask(way.window, scores.dtype), -1)
            return torch.matmul(weights, values).reshape(*q.shape[:3], -1)
        stem_keys, stem_values = held.stem
        of_stem = torch.bmm(together(q_SGRD), stem_keys) * way.scaling
        of_stem = apart(capped(of_stem, way.cap), self.count)
        weights = torch.softmax(torch.cat([of_stem, scores], -1) + self.mask(way.window, scores.dtype), -1)
        found = apart(torch.bmm(together(weights[..., : self.before]), stem_values), self.count)
        return (found + torch.matmul(weights[..., self.before :], values)).reshape(*q.shape[:3], -1)

    def mask(self, window: int | None, dtype: torch.dtype) -> Tensor:
        """What is added to scores, ``S x 1 x 1 x (P + T)``: a slot sees the stem and its own tokens."""
        import torch

        if window not in self.masks:
            places = torch.arange(self.before + self.reach, device=self.lengths_S.device)
            distance = self.positions_S[:, None] - places
            hidden = (distance < 0) if window is None else (distance < 0) | (distance >= window)
            mask = torch.zeros(hidden.shape, dtype=dtype, device=hidden.device).masked_fill_(hidden, float("-inf"))
            self.masks[window] = mask[:, None, None]
        return self.masks[window]


def together(tensor_SGRX: Tensor) -> Tensor:
    """All slots' rows of a group behind one another, ``G x (S R) x X``."""
    return tensor_SGRX.transpose(0, 1).flatten(1, 2)


def apart(tensor_GNX: Tensor, count: int) -> Tensor:
    """The rows of each slot again, ``S x G x R x X``."""
    return tensor_GNX.unflatten(1, (count, -1)).transpose(0, 1)
