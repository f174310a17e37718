"""Memory by part at the peak of training."""

from __future__ import annotations

from sevenfold.setup.plan.work import FLOAT32, Work

ALLOCATOR_SHARE = 0.3
"""What the allocator holds beyond live activations, as a share of them: 0.2 to 0.3 measured with glibc's malloc."""


def memory(work: Work) -> dict[str, int]:
    """Bytes by part at the peak, which is in the backward pass of the last accumulated pass of a step."""
    moving = work.trainable_parameters
    # Without a backward pass a copy is gone behind its product.
    copied = work.backward and work.activation_bytes < work.trainable_bytes
    copies = work.activation_bytes * moving if copied else 0
    kept = activations(work)
    return {
        "weights": round(work.frozen_parameters * work.frozen_bytes) + moving * work.trainable_bytes + copies,
        "gradients": work.gradient_bytes * (moving if work.gradient_parameters is None else work.gradient_parameters),
        "optimizer": round(moving * work.optimizer_bytes),
        "activations": kept,
        "head": head(work),
        "allocator": round(ALLOCATOR_SHARE * kept),
        "framework": work.overhead_bytes,
    }


def total(work: Work) -> int:
    """Bytes at the peak, all parts together."""
    return sum(memory(work).values())


def activations(work: Work) -> int:
    """Bytes kept for the backward pass, and two blocks' worth in work: ``T ((B - C + 2) block + C H stream)``.

    A block that is computed again keeps only its input; while its turn lasts it is the one in work, and its gradients
    take about as much again. Offloaded, all that is kept lies elsewhere.
    """
    recomputed = work.recomputed or 0
    kept = 0 if work.offloaded else work.depth - recomputed
    inputs = 0 if work.offloaded else recomputed * work.shape.hidden * work.stream_bytes
    return work.tokens_per_pass * ((kept + 2) * block_bytes(work) + inputs)


def block_bytes(work: Work) -> int:
    """Bytes that one Llama-type block keeps for one token.

    In float32 whatever the precision: the input of each of the two norms (2 H), and its normalised form where the
    norm's weight moves (2 H more), the two inverse deviations, and one log-sum a head. At the precision: the inputs
    of the three groups of linear layers (3 H; under autocast each of the six layers that share an input keeps a copy:
    6 H), queries and attention's output (2 H), keys and values (2 K, and again where answers share a prompt), gate, its
    activation, up and their product (4 I), and the attention weights that are kept.
    """
    shape = work.shape
    autocast = not work.adapter and work.activation_bytes < work.trainable_bytes
    norms = 2 if work.adapter else 4
    inputs = 6 if autocast else 3
    products = (inputs + 2) * shape.hidden + 2 * shape.key_value_hidden + 4 * shape.intermediate
    products += round(2 * shape.key_value_hidden * work.keys_copied + shape.heads * work.scores_kept)
    return FLOAT32 * (norms * shape.hidden + 2 + shape.heads) + work.activation_bytes * products


def head(work: Work) -> int:
    """Bytes of the head: one chunk's logits, their float32 form and its gradient, and N hidden states in and out.

    When the head moves, its float32 gradient exists beside the one it is added to.
    """
    shape = work.shape
    chunk = min(work.head_chunk, work.supervised_per_pass)
    logits = chunk * shape.vocabulary * (work.activation_bytes + 2 * FLOAT32)
    states = 2 * work.supervised_per_pass * shape.hidden * work.activation_bytes
    gradient = 0 if work.adapter or not work.backward else shape.vocabulary * shape.hidden * FLOAT32
    return logits + states + gradient
