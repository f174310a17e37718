"""What would fit, when a recipe does not."""

from __future__ import annotations

from dataclasses import replace

from sevenfold.setup.plan.parts import total
from sevenfold.setup.plan.work import FLOAT32, Work

ADAPTER_SHARE = 0.01
"""Trainable share that advice assumes for LoRA: rank 16 on all linear layers has 1 to 4 % in small models."""


def advise(work: Work, available_bytes: int) -> list[str]:
    """Changes of the recipe with which the work would fit, the smallest first; combined where one is not enough."""
    adapter = work if work.adapter else with_adapter(work)
    changes = {
        "": work,
        "setup.precision: bfloat16": with_bfloat16(work),
        "tune.method: lora": adapter,
        "tune.method: lora with setup.precision: bfloat16": with_bfloat16(adapter),
    }
    found: list[str] = []
    for text, changed in changes.items():
        # A change that is the work itself was judged already.
        fitted = None if text and changed == work else fit(changed, available_bytes)
        if fitted is None:
            continue
        words = [text] if text else []
        words += ["tune.engine.activations: recompute"] if fitted.recomputed != changed.recomputed else []
        smaller = fitted.tokens_per_pass < work.tokens_per_pass
        words += [f"tune.tokens_per_pass: {fitted.tokens_per_pass}"] if smaller else []
        found.append(f"{' and '.join(words)} (needs {gigabytes(total(fitted))})")
        # What needs no smaller pass ends the search.
        if not smaller:
            break
    return found


def fit(work: Work, available_bytes: int) -> Work | None:
    """The work made to fit: as it is, else with all blocks computed again, else in smaller passes too.

    None when even that does not fit.
    """
    for candidate in (work, recomputing(work)):
        if total(candidate) <= available_bytes:
            return candidate
    tokens = largest_pass(recomputing(work), available_bytes)
    return None if tokens is None else resized(recomputing(work), tokens)


def fewest_recomputed(work: Work, available_bytes: int) -> int:
    """The least number of blocks to compute again with which the work fits; all where even that is not enough."""
    for count in range(work.recomputable):
        if total(replace(work, recomputed=count)) <= available_bytes:
            return count
    return work.recomputable


def recomputing(work: Work) -> Work:
    """The same work with all blocks computed again that can be; offloaded, there is nothing to gain."""
    return work if work.offloaded else replace(work, recomputed=work.recomputable)


def largest_pass(work: Work, available_bytes: int) -> int | None:
    """The most tokens a pass may have, down to the longest row; None when even that does not fit."""
    tokens = work.tokens_per_pass
    while total(resized(work, tokens)) > available_bytes:
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
    return replace(
        work,
        frozen_parameters=work.trainable_parameters,
        trainable_parameters=adapter,
        trainable_bytes=FLOAT32,
        gradient_bytes=FLOAT32,
        optimizer_bytes=2 * FLOAT32,
        gradient_parameters=None,
        backward_blocks=None,
        backward=True,
        rounds=1,
    )


def gigabytes(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB"
