"""Many answers to each prompt from a network that is in memory: each prompt is read once, and no finished row is kept.

``generate`` of transformers reads a prompt once for each of its answers, keeps finished answers in the batch until the
last one ends, and copies all keys and values with every token. Where the network fits, :mod:`.writing` does neither.
Else, where it keeps plain keys and values but attends in a way of its own, prompts are padded, a prompt's keys and
values are laid into a place that has room for the whole answer, and rows leave the batch when they end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sevenfold.generate.choosing import choose
from sevenfold.generate.engine import Sampling
from sevenfold.generate.fitting import fit
from sevenfold.generate.memory import remembering
from sevenfold.generate.writing import ROOM, Writing, chances
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import DynamicCache, PreTrainedModel

COMPACTED = 0.75
"""Rows are moved together when fewer than this share of the batch still writes; moving copies keys and values."""


def rollouts(
    network: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    answers: int,
    sampling: Sampling,
    stop_ids: Collection[int],
) -> list[list[list[int]]]:
    """The ids of some answers to each prompt, the stop token included.

    Greedy answers equal those of :class:`~sevenfold.generate.engines.transformers.TransformersEngine`. Each answer has
    random numbers of its own, so what it is does not depend on which others are written beside it, up to the last bits
    of a logit.

    Args:
        network: A causal model for which :func:`fits` holds; its mode is the caller's.
        prompts: Ids of each prompt, none empty.
        answers: How many answers each prompt gets; where the likeliest token is taken they are all the same one.
        sampling: How tokens are chosen; texts that end an answer are not looked for.
        stop_ids: Tokens that end an answer.

    Returns:
        For each prompt its answers.
    """
    import torch

    copies = answers if sampling.temperature > 0 else 1
    chance_PT = chances(len(prompts) * copies, sampling)
    with torch.inference_mode():
        fitting = fit(network)
        if fitting is None:
            if chance_PT is None:
                chance_PT = torch.zeros(len(prompts), sampling.max_new_tokens)
            found = padded(network, prompts, chance_PT.unflatten(0, (len(prompts), copies)), sampling, stop_ids)
        else:
            flat = [list(prompt) for prompt in prompts for _ in range(copies)]
            found = together(Writing(network, fitting, flat, sampling, stop_ids, chance_PT=chance_PT), copies)
    return found if copies == answers else [own * answers for own in found]


def together(writing: Writing, copies: int) -> list[list[list[int]]]:
    """The answers to each prompt, which stands there as many times as it has answers."""
    ids: list[list[int]] = [[] for _ in writing.prompts]
    with remembering(writing.network):
        for written in writing.answers():
            ids[written.index] = written.ids
    return [ids[start : start + copies] for start in range(0, len(ids), copies)]


def padded(
    network: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    chance_PCT: Tensor,
    sampling: Sampling,
    stop_ids: Collection[int],
) -> list[list[list[int]]]:
    """The same with prompts padded to one length: for any attention over plain keys and values."""
    copies = chance_PCT.shape[1]
    found: list[list[list[int]]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    with plain_attention(network):
        for turn in turns(network, [len(prompts[index]) for index in order], copies, sampling.max_new_tokens):
            batch = order[turn]
            written = Batch(network, sampling, frozenset(stop_ids)).write(
                [prompts[index] for index in batch], chance_PCT[batch].flatten(0, 1)
            )
            for place, index in enumerate(batch):
                found[index] = written[place * copies : (place + 1) * copies]
    return found


def turns(network: Any, lengths: Sequence[int], copies: int, new: int) -> Iterator[slice]:
    """Which prompts are answered at once, longest first: as many as have room for keys and values."""
    config = network.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    token = 2 * config.num_hidden_layers * heads * width * network.dtype.itemsize
    start = 0
    while start < len(lengths):
        count = max(1, ROOM // (token * copies * (lengths[start] + new)))
        yield slice(start, start + count)
        start += count


def fits(network: Any) -> bool:
    """Whether this is a way for a network: where not, transformers has to write."""
    return fit(network) is not None or grows(network)


def grows(network: Any) -> bool:
    """Whether all that a network keeps of earlier tokens are keys and values that grow by one with every token."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    if network.config.is_encoder_decoder or not network.can_generate():
        return False
    layers = DynamicCache(config=network.config).layers
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


@contextmanager
def plain_attention(network: Any) -> Iterator[None]:
    """The network with an attention of transformers; training's own reads packed documents."""
    used = network.config._attn_implementation
    if used in ("sdpa", "eager"):
        yield
        return
    with quiet():
        for name in ("sdpa", "eager"):
            try:
                network.set_attn_implementation(name)
                break
            except ValueError:
                continue
    try:
        yield
    finally:
        network.set_attn_implementation(used)


@dataclass
class Batch:
    """Answers that are written together.

    Args:
        network: The model.
        sampling: How tokens are chosen.
        stop_ids: Tokens that end an answer.
    """

    network: Any
    sampling: Sampling
    stop_ids: frozenset[int]

    def write(self, prompts: Sequence[Sequence[int]], chance_BT: Tensor) -> list[list[int]]:
        """The answers to prompts, as many to each as there are rows of numbers between 0 and 1 for it."""
        import torch

        device, new = self.network.device, chance_BT.shape[1]
        copies = len(chance_BT) // len(prompts)
        logits_PV, cache, mask_PT = self.read(prompts, new)
        spread(cache, copies, new)
        mask_BT = mask_PT.repeat_interleave(copies, 0)
        positions_B1 = mask_BT.sum(1, keepdim=True)
        chance_BT = chance_BT.to(device)
        rows = torch.arange(len(chance_BT), device=device)
        written: list[list[int]] = [[] for _ in range(len(chance_BT))]
        tokens_B = choose(logits_PV.repeat_interleave(copies, 0), chance_BT[:, 0], self.sampling)
        for step in range(1, new + 1):
            live, kept = [], []
            for place, (row, token) in enumerate(zip(rows.tolist(), tokens_B.tolist(), strict=True)):
                if row >= 0:
                    written[row].append(token)
                    if token in self.stop_ids:
                        rows[place] = -1
                    else:
                        live.append(place)
            if not live or step == new:
                break
            if len(live) < COMPACTED * len(rows):
                kept = live
                places = torch.tensor(kept, device=device)
                cache.batch_select_indices(places)
                rows, tokens_B, mask_BT, positions_B1 = (
                    held[places] for held in (rows, tokens_B, mask_BT, positions_B1)
                )
            mask_BT = torch.cat([mask_BT, mask_BT.new_ones(len(rows), 1)], 1)
            logits_BV = self.network(
                input_ids=tokens_B[:, None],
                attention_mask=mask_BT,
                position_ids=positions_B1,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
            positions_B1 = positions_B1 + 1
            tokens_B = choose(logits_BV, chance_BT[rows, step], self.sampling)
        return written

    def read(self, prompts: Sequence[Sequence[int]], new: int) -> tuple[Tensor, DynamicCache, Tensor]:
        """Logits behind each prompt, ``P x V``, its keys and values, and which of them are a prompt's, ``P x T``."""
        import torch
        from transformers import DynamicCache

        device, width = self.network.device, max(map(len, prompts))
        ids_PT = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=device)
        mask_PT = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
        cache = DynamicCache(config=self.network.config)
        logits_PV = self.network(
            input_ids=ids_PT,
            attention_mask=mask_PT,
            position_ids=(mask_PT.cumsum(1) - 1).clamp(min=0),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        return logits_PV, cache, mask_PT


def spread(cache: DynamicCache, copies: int, new: int) -> None:
    """Give every row of a cache ``copies`` rows that have room for ``new`` more tokens each."""
    for number, layer in enumerate(cache.layers):
        cache.layers[number] = roomy(layer, copies, new)


def roomy(layer: Any, copies: int, new: int) -> Any:
    """A layer's keys and values in a place where more fit behind them.

    Equals :class:`transformers.cache_utils.DynamicLayer`, which copies everything with every token.
    """
    from transformers.cache_utils import DynamicLayer

    class Roomy(DynamicLayer):
        places: tuple[Tensor, Tensor]
        length: int

        def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
            """Lay new keys and values behind the others."""
            end = self.length + key_states.shape[-2]
            for place, given in zip(self.places, (key_states, value_states), strict=True):
                place[:, :, self.length : end] = given
            self.length = end
            return self.show()

        def show(self) -> tuple[Tensor, Tensor]:
            """Point at what is filled."""
            self.keys, self.values = (keys, values) = [place[:, :, : self.length] for place in self.places]
            return keys, values

        def batch_select_indices(self, indices: Tensor) -> None:
            """Keep some rows."""
            self.places = tuple(place[indices] for place in self.places)  # type: ignore[assignment]
            self.show()

    made = Roomy()
    made.lazy_initialization(layer.keys, layer.values)
    made.length = layer.keys.shape[-2]
    made.places = tuple(with_room(held, copies, new) for held in (layer.keys, layer.values))  # type: ignore[assignment]
    made.show()
    return made


def with_room(held_PHTD: Tensor, copies: int, new: int) -> Tensor:
    """Copies of rows with empty places behind them, ``B x H x (T + new) x D``."""
    prompts, heads, length, width = held_PHTD.shape
    place = held_PHTD.new_zeros(prompts * copies, heads, length + new, width)
    place[:, :, :length] = held_PHTD.repeat_interleave(copies, 0)
    return place
