"""What is to be trained, in numbers.

Symbols of this room: T tokens of a pass, N supervised ones among them, H hidden, K hidden of keys and values,
I intermediate, V vocabulary, L layers, B layers that the backward pass goes through, C layers that are computed again
in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sevenfold.load.model import Card

OVERHEAD = 500_000_000
"""Bytes of Python, torch and transformers (measured on Linux: 414 MB loaded and idle, 490 to 515 MB once used)."""
FLOAT32 = 4


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
        frozen_bytes: Bytes of a weight that does not move, on average; a quantised one takes less than one byte.
        trainable_bytes: Bytes of a weight that moves.
        gradient_bytes: Bytes of its gradient.
        optimizer_bytes: Bytes of its optimiser state, on average; Adam has two float32 moments.
        head_chunk: Targets whose logits exist together.
        overhead_bytes: Bytes of the framework itself.
        scores_kept: Attention weights that a head keeps for a token, on average; 0 where attention is fused.
        backward_blocks: B, blocks that the backward pass goes through; None: all.
        recomputable: Blocks among them that can be computed again; 0 where the network has none such.
        recomputed: C, blocks that are; None: as few as fit, which :func:`make` chooses.
        offloaded: Whether what blocks keep lies in the main memory instead of the device's.
        gradient_parameters: Parameters whose gradients exist together; None: all that move.
        backward: Whether there is a backward pass; without one nothing is kept for it.
        rounds: Times that each row goes through the network in its step, forward and backward.
        keys_copied: Places of keys and values, for a token, that answers behind a shared prompt hold again.
        forwards: Times that each row goes through the network in its step without gradients, beside ``rounds``.
        tokens_before: Tokens that go through the network once, without gradients, before the first step.
        operations_beside: Operations of a token in what stands beside the network.
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
    frozen_bytes: float = FLOAT32
    trainable_bytes: int = FLOAT32
    gradient_bytes: int = FLOAT32
    optimizer_bytes: float = 2 * FLOAT32
    head_chunk: int = 256
    overhead_bytes: int = OVERHEAD
    scores_kept: float = 0.0
    backward_blocks: int | None = None
    recomputable: int = 0
    recomputed: int | None = 0
    offloaded: bool = False
    gradient_parameters: int | None = None
    backward: bool = True
    rounds: int = 1
    keys_copied: float = 0.0
    forwards: float = 0.0
    tokens_before: int = 0
    operations_beside: float = 0.0

    @property
    def adapter(self) -> bool:
        """Whether a frozen base carries what moves."""
        return self.frozen_parameters > 0

    @property
    def depth(self) -> int:
        """B: below the lowest weight that moves nothing is kept and no gradient is computed."""
        return self.shape.layers if self.backward_blocks is None else self.backward_blocks

    @property
    def stream_bytes(self) -> int:
        """Bytes of an element of the hidden states between blocks; they have the type of the embeddings."""
        return self.activation_bytes if self.adapter else self.trainable_bytes
