"""Memory by part and time, before anything is trained.

Pure arithmetic on plain numbers; the stage that trains fills in what depends on its inner parts. Symbols: T tokens of
a pass, N supervised ones among them, H hidden, K hidden of keys and values, I intermediate, V vocabulary, L layers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sevenfold.errors import MachineError
from sevenfold.load.model import Card

if TYPE_CHECKING:
    import torch

OVERHEAD = 450_000_000
"""Bytes of Python, torch and transformers, loaded and idle (405 MB measured on Linux)."""
ALLOCATOR_SHARE = 0.3
"""What the allocator holds beyond live activations, as a share of them: 0.2 to 0.3 measured with glibc's malloc."""
TRAINING_SHARE = 0.5
"""The share of plain products' rate that training reaches: 0.4 to 0.8 measured on processors."""
FLOAT32 = 4
ADAPTER_SHARE = 0.01
"""Trainable share that advice assumes for LoRA: rank 16 on all linear layers has 1 to 4 % in small models."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a Llama-type network."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    key_value_heads: int
    vocabulary: int

    @classmethod
    def of(cls, card: Card) -> Shape:
        """The shape that a model's card tells."""
        return cls(card.layers, card.hidden, card.intermediate, card.heads, card.key_value_heads, card.vocabulary)

    @property
    def key_value_hidden(self) -> int:
        """K: the width of keys and of values; smaller than H where heads share them."""
        return self.hidden * self.key_value_heads // self.heads

    @property
    def block_parameters(self) -> int:
        """Parameters of all blocks' matrix products: ``L (2 H^2 + 2 H K + 3 H I)``; norms and embeddings left out."""
        width = 2 * self.hidden + 2 * self.key_value_hidden + 3 * self.intermediate
        return self.layers * self.hidden * width


@dataclass(frozen=True)
class Work:
    """What is to be trained, in numbers.

    Args:
        shape: The network's sizes.
        frozen_parameters: Parameters that do not move; 0 when all do.
        trainable_parameters: Parameters that move, an adapter's included.
        tokens_per_pass: T, tokens that go through the network at once.
        supervised_per_pass: N, tokens among them that are targets.
        total_tokens: Tokens of the whole training, all epochs.
        total_supervised: Targets of the whole training.
        mean_length: Mean tokens of a row: what attention is over.
        longest_row: Tokens of the longest row; a pass cannot be smaller.
        activation_bytes: Bytes of an element of matrix products: 2 for bfloat16, 4 for float32.
        frozen_bytes: Bytes of a weight that does not move.
        trainable_bytes: Bytes of a weight that moves.
        gradient_bytes: Bytes of its gradient.
        optimizer_bytes: Bytes of its optimiser state; Adam has two float32 moments.
        head_chunk: Targets whose logits exist together.
        overhead_bytes: Bytes of the framework itself.
        scores_kept: Attention weights that a head keeps for a token, on average; 0 where attention is fused.
    """

    shape: Shape
    frozen_parameters: int
    trainable_parameters: int
    tokens_per_pass: int
    supervised_per_pass: int
    total_tokens: int
    total_supervised: int
    mean_length: float
    longest_row: int = 1
    activation_bytes: int = FLOAT32
    frozen_bytes: int = FLOAT32
    trainable_bytes: int = FLOAT32
    gradient_bytes: int = FLOAT32
    optimizer_bytes: int = 2 * FLOAT32
    head_chunk: int = 256
    overhead_bytes: int = OVERHEAD
    scores_kept: float = 0.0

    @property
    def adapter(self) -> bool:
        """Whether a frozen base carries what moves."""
        return self.frozen_parameters > 0


@dataclass(frozen=True)
class Plan:
    """What the work needs and what there is.

    Args:
        parts: Bytes by part, in the order in which they are shown.
        available_bytes: Memory that is free for it.
        seconds: Time of all forward and backward passes; validation and loading come on top.
        advice: What would fit, when this does not.
    """

    parts: dict[str, int]
    available_bytes: int
    seconds: float
    advice: list[str]

    @property
    def total_bytes(self) -> int:
        """The sum of the parts: the expected peak."""
        return sum(self.parts.values())

    @property
    def fits(self) -> bool:
        """Whether the peak is within what is available."""
        return self.total_bytes <= self.available_bytes

    def require(self) -> None:
        """Stop before the work starts if it cannot end.

        Raises:
            MachineError: It needs more memory than there is; the message says what would fit.
        """
        if self.fits:
            return
        largest = max(self.parts, key=lambda name: self.parts[name])
        raise MachineError(
            f"training needs about {gigabytes(self.total_bytes)}, of which {largest} {gigabytes(self.parts[largest])}",
            expected=f"at most {gigabytes(self.available_bytes)}, which are free now",
            next_step="; or ".join(self.advice) or "a smaller model, or a machine with more memory",
        )


def make(work: Work, available_bytes: int, rate: float) -> Plan:
    """The plan of some work.

    Args:
        work: What is to be trained.
        available_bytes: Free memory of the device.
        rate: FLOP/s of plain products, from :func:`measure_rate`; training reaches :data:`TRAINING_SHARE` of it.
    """
    parts = memory(work)
    short = sum(parts.values()) > available_bytes
    return Plan(
        parts, available_bytes, flops(work) / (TRAINING_SHARE * rate), advise(work, available_bytes) if short else []
    )


def memory(work: Work) -> dict[str, int]:
    """Bytes by part at the peak, which is in the backward pass of the last accumulated pass of a step."""
    moving = work.trainable_parameters
    copies = work.activation_bytes * moving if work.activation_bytes < work.trainable_bytes else 0
    kept = activations(work)
    return {
        "weights": work.frozen_parameters * work.frozen_bytes + moving * work.trainable_bytes + copies,
        "gradients": moving * work.gradient_bytes,
        "optimizer": moving * work.optimizer_bytes,
        "activations": kept,
        "head": head(work),
        "allocator": round(ALLOCATOR_SHARE * kept),
        "framework": work.overhead_bytes,
    }


def activations(work: Work) -> int:
    """Bytes kept for the backward pass, and one block's worth in work: ``T (L + 1) block``."""
    return work.tokens_per_pass * (work.shape.layers + 1) * block_bytes(work)


def block_bytes(work: Work) -> int:
    """Bytes that one Llama-type block keeps for one token.

    In float32 whatever the precision: the input of each of the two norms (2 H), and its normalised form where the
    norm's weight moves (2 H more), the two inverse deviations, and one log-sum a head. At the precision: the inputs
    of the three groups of linear layers (3 H; under autocast each of the six layers that share an input keeps a copy:
    6 H), queries and attention's output (2 H), keys and values (2 K), gate, its activation, up and their product (4 I),
    and the attention weights that are kept.
    """
    shape = work.shape
    autocast = not work.adapter and work.activation_bytes < work.trainable_bytes
    norms = 2 if work.adapter else 4
    inputs = 6 if autocast else 3
    products = (inputs + 2) * shape.hidden + 2 * shape.key_value_hidden + 4 * shape.intermediate
    products += round(shape.heads * work.scores_kept)
    return FLOAT32 * (norms * shape.hidden + 2 + shape.heads) + work.activation_bytes * products


def head(work: Work) -> int:
    """Bytes of the head: one chunk's logits, their float32 form and its gradient, and N hidden states in and out.

    When the head moves, its float32 gradient exists beside the one it is added to.
    """
    shape = work.shape
    chunk = min(work.head_chunk, work.supervised_per_pass)
    logits = chunk * shape.vocabulary * (work.activation_bytes + 2 * FLOAT32)
    states = 2 * work.supervised_per_pass * shape.hidden * work.activation_bytes
    gradient = 0 if work.adapter else shape.vocabulary * shape.hidden * FLOAT32
    return logits + states + gradient


def flops(work: Work) -> float:
    """Floating-point operations of the whole training.

    A product costs 2 a parameter and token forward; backward 2 more for the gradient of its input and 2 for that of
    its weight, which a frozen one does not need. Causal attention over rows of mean length M costs ``2 M H`` a token
    and layer forward, twice that backward. The head is computed for targets only: forward, again in the backward
    pass, the gradient of its input, and of its weight where it moves.
    """
    shape = work.shape
    attention = 3 * 2 * work.mean_length * shape.hidden * shape.layers
    if work.adapter:
        body = 4 * shape.block_parameters + 6 * work.trainable_parameters
    else:
        body = 6 * shape.block_parameters
    passes = 3 if work.adapter else 4
    targets = passes * 2 * shape.vocabulary * shape.hidden
    return float(work.total_tokens * (body + attention) + work.total_supervised * targets)


def advise(work: Work, available_bytes: int) -> list[str]:
    """Changes of the recipe with which the work would fit, the smallest first; combined where one is not enough."""
    adapter = work if work.adapter else with_adapter(work)
    changes = [
        ("", work),
        ("setup.precision: bfloat16", with_bfloat16(work)),
        ("tune.method: lora", adapter),
        ("tune.method: lora with setup.precision: bfloat16", with_bfloat16(adapter)),
    ]
    found: list[str] = []
    for text, changed in changes:
        tokens = largest_pass(changed, available_bytes)
        # A change that is the work itself was judged already, and what needs no smaller pass ends the search.
        if tokens is None or (text and changed == work):
            continue
        smaller = tokens < work.tokens_per_pass
        words = [text] if text else []
        words += [f"tune.tokens_per_pass: {tokens}"] if smaller else []
        needs = sum(memory(resized(changed, min(tokens, work.tokens_per_pass))).values())
        found.append(f"{' and '.join(words)} (needs {gigabytes(needs)})")
        if not smaller:
            break
    return found


def largest_pass(work: Work, available_bytes: int) -> int | None:
    """The most tokens a pass may have, down to the longest row; None when even that does not fit."""
    tokens = work.tokens_per_pass
    while sum(memory(resized(work, tokens)).values()) > available_bytes:
        if tokens <= work.longest_row:
            return None
        tokens = max(tokens // 2, work.longest_row)
    return tokens


def resized(work: Work, tokens: int) -> Work:
    """The same work in passes of another size."""
    supervised = -(-work.supervised_per_pass * tokens // work.tokens_per_pass)
    return replace(work, tokens_per_pass=tokens, supervised_per_pass=supervised)


def with_bfloat16(work: Work) -> Work:
    """The same work with products in bfloat16; frozen weights are held in it too."""
    return replace(work, activation_bytes=2, frozen_bytes=2)


def with_adapter(work: Work) -> Work:
    """The same work with the base frozen and an adapter beside it."""
    adapter = round(ADAPTER_SHARE * work.trainable_parameters)
    return replace(work, frozen_parameters=work.trainable_parameters, trainable_parameters=adapter)


def gigabytes(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB"


def measure_rate(dtype: torch.dtype, device: str = "cpu", seconds: float = 0.2) -> float:
    """FLOP/s of plain matrix products on this machine, measured.

    Args:
        dtype: The type of the products.
        device: Where they run.
        seconds: How long is measured.
    """
    import torch

    size = 1024
    left, right = (torch.ones(size, size, dtype=dtype, device=device) for _ in range(2))
    (left @ right).sum().item()
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        # Reading a number waits for the device.
        (left @ right)[0, 0].item()
        count += 1
    return 2 * size**3 * count / (time.perf_counter() - started)
