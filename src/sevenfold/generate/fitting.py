"""Whether a network can be read with a memory of ours: tried on a few tokens against its plain call."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sevenfold.generate.memory import Reading, bytes_of, logits_of, on, remembering
from sevenfold.generate.paths import Sheets, place
from sevenfold.generate.slots import Slots
from sevenfold.generate.trying import TRIED, revealing
from sevenfold.kind import kind_of
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

SHARED, OWN, NEXT = 3, (2, 4), 2
"""Tokens of the trial: what two texts begin with, what each has of its own, and what is written behind each."""
TOLERANCES = {"float32": 1e-4, "float16": 0.02, "bfloat16": 0.1}
"""How far logits may be off, as a share of their length."""
MOVING = ("dynamic", "longrope")
"""Rotary frequencies that change with the longest text of a pass."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What is known of a network that fits.

    Args:
        token: Bytes of keys and values of one token.
    """

    token: int


_known: WeakKeyDictionary[Any, Fit | None] = WeakKeyDictionary()
_pads: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def fit(network: Any) -> Fit | None:
    """How a network fits; None where it has to be called plainly. A network is tried once.

    It fits when all that it keeps of earlier tokens are keys and values, which it reads through an attention that can
    be chosen from outside, and when logits of packed texts with a common beginning, and of tokens written behind them,
    equal those of plain calls.
    """
    if network not in _known:
        _known[network] = tried(network) if keeps_keys_and_values(network) else None
    return _known[network]


def keeps_keys_and_values(network: Any) -> bool:
    """Whether what the network keeps of earlier tokens are keys and values, of all or of the latest tokens."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    config = network.config.get_text_config()
    if kind_of(network.config) != "causal" or not network.can_generate():
        return False
    if "chunked_attention" in (getattr(config, "layer_types", None) or []):
        return False
    rotary = str(getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or "")
    if any(word in rotary for word in MOVING):
        return False
    layers = DynamicCache(config=network.config).layers
    return bool(layers) and all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def tried(network: Any) -> Fit | None:
    """How a network fits after a trial."""
    import torch

    texts = trial(network)
    try:
        with torch.inference_mode(), revealing(network):
            with eager(network):
                expected = plain(network, texts)
                first = plain(network, changed(texts, 0))
            with remembering(network):
                found, token = remembered(network, texts)
                found_first, _ = remembered(network, changed(texts, 0))
                # The last own token of the first text is nothing to the second.
                apart, _ = remembered(network, [*changed(texts[:1], SHARED + 1), texts[1]])
    except TRIED:
        return None
    tolerance = TOLERANCES.get(str(network.dtype)[6:], 0.0)
    error = float(((found - expected).norm(dim=-1) / expected.norm(dim=-1)).max())
    reads_first, read_first = (
        bool((one[1, -1] != two[1, -1]).any()) for one, two in ((expected, first), (found, found_first))
    )
    if not error <= tolerance or reads_first != read_first or not torch.equal(apart[1], found[1]):
        return None
    return Fit(token)


def pads(network: Any) -> bool:
    """Whether transformers' own generation gives a prompt behind padding what it gives the prompt alone.

    Some recurrent networks (RWKV) read padding like text, whatever the mask says.
    """
    if network not in _pads:
        _pads[network] = padded_alike(network)
    return _pads[network]


def padded_alike(network: Any) -> bool:
    """The comparison: the logits of a first token."""
    import torch
    from transformers import GenerationConfig

    short, long = (text[:-NEXT] for text in trial(network))
    gap = len(long) - len(short)

    def first(rows: list[list[int]], mask: list[list[int]]) -> Tensor:
        given = network.generate(
            input_ids=on(network.device, rows),
            attention_mask=on(network.device, mask),
            generation_config=GenerationConfig(
                max_new_tokens=1, do_sample=False, output_logits=True, return_dict_in_generate=True, pad_token_id=0
            ),
        )
        logits: Tensor = given.logits[0][0].float()
        return logits

    with torch.inference_mode(), revealing(network), quiet():
        alone = first([short], [[1] * len(short)])
        padded = first([[0] * gap + short, long], [[0] * gap + [1] * len(short), [1] * len(long)])
    return float((alone - padded).norm() / alone.norm()) <= TOLERANCES.get(str(network.dtype)[6:], 0.0)


def trial(network: Any) -> list[list[int]]:
    """Two texts of ids from the middle of the vocabulary that begin alike, with what is written behind them."""
    import torch

    vocabulary = network.get_input_embeddings().weight.shape[0]
    generator = torch.Generator().manual_seed(1)
    ids = (vocabulary // 4 + torch.randperm(vocabulary // 2, generator=generator)).tolist()
    start, first, second = ids[:SHARED], ids[SHARED : SHARED + OWN[0] + NEXT], ids[-OWN[1] - NEXT :]
    return [start + first, start + second]


def changed(texts: list[list[int]], index: int) -> list[list[int]]:
    """The texts with another token at one place."""
    return [[*text[:index], text[index] - 1, *text[index + 1 :]] for text in texts]


def plain(network: Any, texts: list[list[int]]) -> Tensor:
    """Logits behind the prompts and behind each token that follows, by plain calls: ``text x token x V``, float32."""
    import torch

    rows = [
        network(input_ids=on(network.device, [text]), use_cache=False, logits_to_keep=NEXT + 1).logits[0]
        for text in texts
    ]
    return torch.stack(rows).float()


def remembered(network: Any, texts: list[list[int]]) -> tuple[Tensor, int]:
    """The same by reading the prompts in one row and writing on, and the bytes that a token takes."""
    import torch

    device, prompts = network.device, [text[:-NEXT] for text in texts]
    sheet = Sheets(prompts, [len(prompt) - 1 for prompt in prompts], 1 << 30, shortest=1).take()
    reading = Reading(sheet, {}, keeps=True)
    sources = on(
        device, [place(path, len(prompts[text]) - 1) for text, path in zip(sheet.texts, sheet.paths, strict=True)]
    )
    rows = [logits_of(network, reading, on(device, [sheet.ids]), on(device, [sheet.positions]), sources)[0]]
    slots = Slots(len(texts), max(map(len, texts)), {}, device)
    slots.lay(range(len(texts)), reading, sheet.paths, [len(prompts[text]) for text in sheet.texts])
    for step in range(NEXT):
        slots.start()
        ids = on(device, [[texts[text][step - NEXT]] for text in sheet.texts])
        rows.append(logits_of(network, slots, ids, slots.positions_S[:, None], 1)[:, 0])
        slots.end()
    found = torch.stack(rows, 1).float()
    return found[torch.tensor(sheet.texts).argsort()], bytes_of(reading.kept)


@contextmanager
def eager(network: Any) -> Iterator[None]:
    """The network with the plainest attention of transformers."""
    used = network.config._attn_implementation
    with quiet():
        network.set_attn_implementation("eager")
    try:
        yield
    finally:
        with quiet():
            network.set_attn_implementation(used)
